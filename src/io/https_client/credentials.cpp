#include "io/https_client/credentials.hpp"

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <fstream>
#include <optional>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "io/https_client/tls_source.hpp"
#include "io/https_client/url.hpp"

namespace vesper {
namespace {

constexpr std::size_t secret_max = 16 * 1024;

/// The first line of a small file, blanks trimmed; nothing when it is unreadable, empty or holds
/// what cannot stand in a header.
std::optional<std::string> read_secret(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  std::string text(secret_max + 1, '\0');
  in.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(in.gcount()));
  while (!text.empty() && std::string_view{" \t\r\n"}.contains(text.back())) text.pop_back();
  if (text.empty() || text.size() > secret_max) return std::nullopt;
  if (!std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7F; })) return std::nullopt;
  return text;
}

std::string form_encoded(std::string_view text) {
  constexpr std::string_view hex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte | 0x20) >= 'a' && (byte | 0x20) <= 'z';
    if (plain || (c >= '0' && c <= '9') || std::string_view{"-._*"}.contains(c))
      out += c;
    else if (c == ' ')
      out += '+';
    else
      (out += '%').append(1, hex[byte >> 4]).append(1, hex[byte & 15]);
  }
  return out;
}

}  // namespace

Credentials::Credentials(const asio::any_io_executor& executor, const UpstreamSettings& settings,
                         HttpFetch& fetch, Clock& clock)
    : settings_(settings), fetch_(fetch), clock_(clock), asked_(executor) {}

asio::awaitable<bool> Credentials::ready(Deadline deadline) {
  if (!settings_.oauth_token_url.empty()) co_return co_await oauth(deadline);
  co_return settings_.bearer_file.empty() || read_bearer(clock_.now());
}

void Credentials::refused() {
  if (settings_.oauth_token_url.empty()) {
    look_again_ = {};
    return;
  }
  value_.clear();
  valid_until_ = renew_at_ = {};
}

bool Credentials::read_bearer(Instant now) {
  if (now < look_again_) return !value_.empty();
  look_again_ = now + 1s;
  auto stamp = file_stamp(settings_.bearer_file);
  if (!value_.empty() && stamp == stamp_) return true;
  const auto token = read_secret(settings_.bearer_file);
  if (!token) {
    why_ = "no bearer token in " + settings_.bearer_file;
    return !value_.empty();  // the last good one, while a new one is being written
  }
  value_ = "Bearer " + *token;
  stamp_ = std::move(stamp);
  return true;
}

asio::awaitable<bool> Credentials::oauth(Deadline deadline) {
  for (;;) {
    const Instant now = clock_.now();
    if (!value_.empty() && now < renew_at_) co_return true;
    // Renewal is early: who finds it under way goes on with the token that still holds.
    if (asking_ && !value_.empty() && now < valid_until_) co_return true;
    if (!asking_) co_return co_await ask_for_token(deadline);
    if (deadline.passed(now)) co_return false;
    // Who asked began earlier, under an equal deadline: its answer comes in time.
    co_await asked_.async_wait(asio::as_tuple(asio::use_awaitable));
    if (!asking_ && value_.empty()) co_return false;
  }
}

asio::awaitable<bool> Credentials::ask_for_token(Deadline deadline) {
  const auto url = parse_url(settings_.oauth_token_url);
  const auto secret = settings_.oauth_client_secret.empty()
                          ? read_secret(settings_.oauth_client_secret_file)
                          : std::optional{settings_.oauth_client_secret};
  if (!url || (!url->tls && !url->loopback() && !settings_.allow_plain_http) || !secret) {
    why_ = secret ? "the token endpoint is not an https URL: " + settings_.oauth_token_url
                  : "no client secret in " + settings_.oauth_client_secret_file;
    co_return false;
  }
  asking_ = true;
  asked_.expires_at(asio::steady_timer::time_point::max());
  const Instant asked_at = clock_.now();
  const std::string basic = "Basic " + encode_base64(form_encoded(settings_.oauth_client_id) + ":" +
                                                     form_encoded(*secret));
  std::string body = "grant_type=client_credentials";
  if (!settings_.oauth_scope.empty()) body += "&scope=" + form_encoded(settings_.oauth_scope);
  const auto reply = co_await fetch_.fetch({.method = "POST",
                                            .url = settings_.oauth_token_url,
                                            .content_type = "application/x-www-form-urlencoded",
                                            .body = body,
                                            .authorization = basic,
                                            .headers = "Accept: application/json\r\n"},
                                           deadline);
  asking_ = false;
  const bool taken = reply && take_token(*reply, asked_at);
  if (!taken)
    why_ = reply ? "the token endpoint answered " + std::to_string(reply->status)
                 : "the token endpoint did not answer";
  if (!taken && clock_.now() >= valid_until_) value_.clear();
  asked_.cancel();
  co_return taken || !value_.empty();
}

bool Credentials::take_token(const FetchReply& reply, Instant asked_at) {
  if (reply.status != 200) return false;
  Arena arena;
  const auto document = parse_json(reply.body, arena);
  if (!document) return false;
  const auto* token = (*document)->find("access_token");
  const auto* type = (*document)->find("token_type");
  if (!token || !token->is(JsonKind::string) || token->text.empty()) return false;
  if (!std::ranges::all_of(token->text, [](char c) { return c > ' ' && c < 0x7F; })) return false;
  if (type && (type->text.size() != 6 || (type->text[0] | 0x20) != 'b')) return false;
  std::int64_t seconds = 300;  // not stated: short enough to be harmless
  if (const auto* expires = (*document)->find("expires_in"))
    std::from_chars(expires->text.data(), expires->text.data() + expires->text.size(), seconds);
  const Duration life = std::chrono::seconds{std::clamp<std::int64_t>(seconds, 1, 86'400)};
  value_ = "Bearer ";
  value_ += token->text;
  valid_until_ = asked_at + life;
  renew_at_ = valid_until_ - std::min<Duration>(life / 4, 60s);
  return true;
}

}  // namespace vesper
