#include "flows/limits/refusal_watch.hpp"

#include <boost/asio/this_coro.hpp>
#include <string_view>
#include <utility>

namespace vesper {
namespace {

struct Reason {
  Counter counter;
  std::string_view metric, label;  ///< `reason="loop"`, or empty
};

constexpr Reason every_counter[] = {
#define X(name, metric, label, ...) {Counter::name, metric, label},
    VESPER_COUNTERS(X)
#undef X
};

bool is_refusal(const Reason& reason) {
  return reason.metric == "vesper_admission_refused_total" ||
         reason.metric == "vesper_admission_over_rate_total" ||
         reason.counter == Counter::connections_refused;
}

std::string_view name_of(const Reason& reason) {
  if (reason.label.empty()) return "connections";
  const std::size_t quote = reason.label.find('"') + 1;
  return reason.label.substr(quote, reason.label.size() - quote - 1);
}

std::string_view message_of(const Reason& reason) {
  if (reason.metric == "vesper_admission_over_rate_total")
    return "requests over a rate, a quota or a number of connections are refused";
  return "requests are refused to protect the server";
}

}  // namespace

RefusalWatch::RefusalWatch(Clock& clock, Log& log, Total total)
    : clock_(clock), log_(log), total_(std::move(total)), told_(std::size(every_counter)) {}

boost::asio::awaitable<void> RefusalWatch::run(TaskRecord* task) {
  co_await boost::asio::this_coro::throw_if_cancelled(false);
  for (;;) {
    const Instant next = clock_.now() + look_every;
    if (task != nullptr) task->mark("clock.sleep", clock_.now(), next);
    if (!co_await clock_.sleep_until(next)) co_return;
    look();
  }
}

std::size_t RefusalWatch::look() {
  std::size_t lines = 0;
  for (std::size_t i = 0; i < std::size(every_counter); ++i) {
    const Reason& reason = every_counter[i];
    if (!is_refusal(reason)) continue;
    const std::uint64_t total = total_(reason.counter);
    const std::uint64_t fresh = total - std::exchange(told_[i], total);
    if (fresh == 0) continue;
    log_.write(
        LogLevel::warn, "refused", message_of(reason),
        {{"event.reason", name_of(reason)}, {"vesper.refused", static_cast<std::int64_t>(fresh)}});
    ++lines;
  }
  return lines;
}

}  // namespace vesper
