#include "flows/anchor/anchor_writer.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <boost/asio/this_coro.hpp>

#include "stages/journal/anchor.hpp"

namespace vesper {
namespace {

constexpr std::size_t bearer_bytes_max = 16 * 1024;

std::string_view text_of(FetchFault fault) {
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
      return "the server's certificate is not trusted";
    case FetchFault::too_large:
      return "the answer is too large";
    case FetchFault::bad_url:
      return "not an address that can be posted to";
  }
  return {};
}

}  // namespace

AnchorWriter::AnchorWriter(AnchorSettings settings, const Parts& parts)
    : settings_(std::move(settings)), parts_(parts) {}

asio::awaitable<void> AnchorWriter::run(TaskRecord* task) {
  co_await asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    co_await look();
    const Instant next = parts_.clock.now() + look_every;
    if (task != nullptr) task->mark("clock.sleep", parts_.clock.now(), next);
    if (!co_await parts_.clock.sleep_until(next)) co_return;
  }
}

asio::awaitable<void> AnchorWriter::look() {
  const auto link = parts_.chain.newest_link();
  if (!link) co_return;
  co_await write(*link, false, {parts_.clock.now() + settings_.deadline});
  parts_.telemetry.set(Gauge::anchors_failing, (file_.failing ? 1 : 0) + (url_.failing ? 1 : 0));
}

asio::awaitable<void> AnchorWriter::finish(Deadline deadline) {
  const auto link = parts_.chain.newest_link();
  if (link) co_await write(*link, true, deadline);
}

bool AnchorWriter::due(const Place& place, std::uint64_t group, Instant now) const {
  if (group <= place.group) return false;
  if (place.group == 0 && !place.failing) return true;
  if (now >= place.next) return true;
  return !place.failing && settings_.every_groups != 0 &&
         group - place.group >= settings_.every_groups;
}

asio::awaitable<void> AnchorWriter::write(const SignedLink& link, bool all, Deadline deadline) {
  const std::uint64_t group = link.statement.group;
  const Instant now = parts_.clock.now();
  const auto wanted = [&](const Place& place, const std::string& where) {
    return !where.empty() && (all ? group > place.group : due(place, group, now));
  };
  const std::string line = write_anchor(link);
  if (wanted(file_, settings_.file))
    note(file_, group, append(line), Counter::anchors_to_file, Counter::anchors_failed_to_file);
  if (wanted(url_, settings_.url)) {
    const std::string fault = co_await post(line, deadline);
    note(url_, group, fault, Counter::anchors_to_url, Counter::anchors_failed_to_url);
  }
}

std::string AnchorWriter::append(const std::string& line) {
  const auto done = parts_.files.append(settings_.file, line);
  return done ? std::string{} : fmt::format("{}: {}", settings_.file, text_of(done.error()));
}

asio::awaitable<std::string> AnchorWriter::post(const std::string& line, Deadline deadline) {
  std::string authorization;
  if (!settings_.bearer_file.empty()) {
    auto token = parts_.files.read(settings_.bearer_file, bearer_bytes_max, Secrecy::owner_only);
    if (!token) co_return fmt::format("{}: {}", settings_.bearer_file, text_of(token.error()));
    while (!token->empty() && (token->back() == '\n' || token->back() == '\r')) token->pop_back();
    authorization = "Bearer " + *token;
  }
  const HttpFetch::Request request{.method = "POST",
                                   .url = settings_.url,
                                   .content_type = "application/json",
                                   .body = line,
                                   .authorization = authorization,
                                   .headers = {}};
  const auto reply = co_await parts_.fetch.fetch(request, deadline);
  if (!reply) co_return fmt::format("{}: {}", settings_.url, text_of(reply.error()));
  if (reply->status / 100 != 2)
    co_return fmt::format("{}: answered {}", settings_.url, reply->status);
  co_return std::string{};
}

void AnchorWriter::note(Place& place, std::uint64_t group, const std::string& fault,
                        Counter written, Counter failed) {
  const Instant now = parts_.clock.now();
  if (fault.empty()) {
    parts_.telemetry.count(written);
    if (place.failing)
      parts_.log.write(LogLevel::info, "anchor.restored", "anchors are written again",
                       {{"vesper.place", place.name}});
    place.failing = false;
    place.pause = {};
    place.group = group;
    place.next = now + settings_.every;
    return;
  }
  parts_.telemetry.count(failed);
  if (!place.failing || now - place.told >= tell_again) {
    parts_.log.write(LogLevel::error, "anchor.failed",
                     "no anchor could be written; diaries are taken all the same",
                     {{"vesper.place", place.name}, {"error.message", std::string_view{fault}}});
    place.told = now;
  }
  place.failing = true;
  place.pause = std::clamp(place.pause * 2, retry_first, retry_longest);
  place.next = now + place.pause;
}

}  // namespace vesper
