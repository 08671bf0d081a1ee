#include "app/server_client.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/io_context.hpp>

#include "app/input_file.hpp"
#include "io/clock/system_clock.hpp"
#include "io/https_client/fetch_client.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {
namespace {

std::string_view words_for(FetchFault fault) {
  switch (fault) {
    case FetchFault::refused:
      return "nobody answers there";
    case FetchFault::timed_out:
      return "no answer in time";
    case FetchFault::cut:
      return "the connection was cut";
    case FetchFault::not_http:
      return "the answer is not HTTP";
    case FetchFault::tls:
      return "the TLS handshake failed";
    case FetchFault::too_large:
      return "the answer is too large";
    case FetchFault::bad_url:
      return "not an http or https URL";
  }
  return "it failed";
}

}  // namespace

std::expected<ServerClient, std::string> ServerClient::from(const Invocation& invocation) {
  ServerClient client;
  client.server_ = *invocation.text("server");
  while (client.server_.ends_with('/')) client.server_.pop_back();
  client.timeout_ = std::chrono::seconds{invocation.number("timeout-s")};
  client.ca_file_ = invocation.text("ca-file").value_or("");
  if (const auto file = invocation.text("token-file")) {
    auto token = read_input(*file);
    if (!token) return std::unexpected(token.error());
    while (token->ends_with('\n') || token->ends_with('\r')) token->pop_back();
    if (token->empty() || !header_safe(*token))
      return std::unexpected(fmt::format("{}: holds no token", *file));
    client.token_ = *std::move(token);
  }
  return client;
}

std::expected<FetchReply, std::string> ServerClient::ask(const Question& question) const {
  SystemClock clock;
  FetchClient fetch{clock, tls_files()};
  const std::string authorization = token_.empty() ? "" : "Bearer " + token_;
  const std::string url = server_ + std::string(question.path);
  const HttpFetch::Request request{
      .method = question.method,
      .url = url,
      .content_type = question.body.empty() ? std::string_view{} : "application/json",
      .body = question.body,
      .authorization = authorization,
      .headers = question.headers};
  asio::io_context context{1};
  std::expected<FetchReply, FetchFault> reply = std::unexpected(FetchFault::timed_out);
  const Deadline deadline{clock.now() + timeout_};
  TaskScope{"command"}.spawn(context.get_executor(), "ask", deadline,
                             [&](TaskRecord*) -> asio::awaitable<void> {
                               reply = co_await fetch.fetch(request, deadline);
                             });
  context.run();
  if (!reply) return std::unexpected(fmt::format("{}: {}", server_, words_for(reply.error())));
  return *std::move(reply);
}

std::string percent_encoded(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain)
      out += c;
    else
      out += fmt::format("%{:02X}", static_cast<unsigned>(static_cast<unsigned char>(c)));
  }
  return out;
}

bool header_safe(std::string_view text) {
  return std::ranges::none_of(
      text, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

}  // namespace vesper
