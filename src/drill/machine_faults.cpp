#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>

#include "drill/faults.hpp"

namespace vesper::drill {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t margin = 1ULL << 30, ballast = 2 * margin;
constexpr std::string_view faketime_library =
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1";

std::uintmax_t free_bytes() {
  std::error_code failed;
  const fs::space_info space = fs::space(fs::temp_directory_path(failed), failed);
  return failed ? 0 : space.available;
}

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}

void set_clock(const Rig& rig, std::string_view offset) {
  std::ofstream out{rig.folder() / "clock", std::ios::trunc};
  out << offset << "\n";
}

/// How far the server's clock is ahead of ours, by the Date of an answer.
asio::awaitable<std::optional<std::chrono::seconds>> clock_offset(Rig& rig) {
  constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
  constexpr std::string_view question = "GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
  asio::ip::tcp::socket socket{rig.context()};
  const asio::ip::tcp::endpoint intake{asio::ip::address_v4::loopback(), rig.intake_port()};
  if (std::get<0>(co_await socket.async_connect(intake, as_result))) co_return std::nullopt;
  if (std::get<0>(co_await asio::async_write(socket, asio::buffer(question), as_result)))
    co_return std::nullopt;
  std::string answer(4096, '\0');
  const auto [failed, size] = co_await socket.async_read_some(asio::buffer(answer), as_result);
  const std::size_t at = failed ? answer.npos : answer.find("\r\nDate: ");
  std::tm said{};
  if (at == answer.npos || size < at ||
      ::strptime(answer.c_str() + at + 8, "%a, %d %b %Y %H:%M:%S GMT", &said) == nullptr)
    co_return std::nullopt;
  const auto ours = std::chrono::floor<std::chrono::seconds>(rig.clock().wall());
  co_return std::chrono::seconds{::timegm(&said)} - ours.time_since_epoch();
}

}  // namespace

// So that four times the usual rate fits, and three times that comes.
void prepare_disk_slow(RigPlan& plan, const DrillOptions& options) {
  plan.settings["VESPER__JOURNAL__PACE_PER_S"] = fmt::format("{:.0f}", options.rate_per_s * 4);
}

// The journal was paced from the start; what is new is that more comes than such a disk takes.
asio::awaitable<void> disk_slow(Act& act) {
  co_await act.rig.clock().sleep_until(act.fault_ends);
}

std::string unable_disk_full(const DrillOptions&) {
  if (free_bytes() > 2 * ballast) return {};
  return fmt::format("the disk of the folder for temporary files needs {} GiB free",
                     2 * ballast >> 30);
}

// The reserve is what is free now, less a margin; the fault takes more than the margin away.
void prepare_disk_full(RigPlan& plan, const DrillOptions&) {
  plan.settings["VESPER__JOURNAL__DISK_RESERVE_BYTES"] =
      fmt::format("{}", std::max(free_bytes(), 2 * margin) - margin);
}

asio::awaitable<void> disk_full(Act& act) {
  const fs::path file = act.rig.folder() / "ballast";
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  const bool filled =
      descriptor >= 0 && ::posix_fallocate(descriptor, 0, static_cast<off_t>(ballast)) == 0;
  if (descriptor >= 0) ::close(descriptor);
  act.result.hold("the drill could fill the disk", filled, file.string());
  co_await act.rig.clock().sleep_until(act.fault_ends);
  std::error_code ignored;
  fs::remove(file, ignored);
}

void judge_disk_full(Act& act, const surge::Report& report) {
  const surge::Tally& during = report.phases[phase_during].all;
  const auto at = std::ranges::find(surge::counted_statuses, 507);
  const std::uint64_t full =
      during.statuses[static_cast<std::size_t>(at - surge::counted_statuses.begin())];
  act.result.hold("a full disk is told as 507", full > 0,
                  fmt::format("{} of {} tries", full, during.tries));
  const bool unready = std::ranges::any_of(
      act.watch.moments(), [](const Moment& moment) { return moment.ready_status == 503; });
  act.result.hold("readyz tells it", unready, unready ? "503 meanwhile" : "never 503");
}

void judge_disk_slow(Act& act, const surge::Report& report) {
  const surge::Tally& during = report.phases[phase_during].all;
  const double fit = 4 * act.options.rate_per_s * seconds(act.options.fault_for);
  act.result.hold("at least half of what the disk takes is taken",
                  static_cast<double>(during.accepted) >= 0.5 * fit,
                  fmt::format("{} accepted where {:.0f} fit", during.accepted, fit));
  const Duration p99 = during.accepted_latency.percentile(0.99);
  act.result.hold("the accepted keep their latency", p99 <= 2 * act.options.latency_max,
                  fmt::format("p99 {:.3f} s", seconds(p99)));
}

// Diaries are owed when the process dies, since the platform is slow; it dies every two seconds.
asio::awaitable<void> process_killed(Act& act) {
  standin::Behaviour slow;
  slow.delay_ms = 300;
  act.rig.platform().behave(slow);
  Duration slowest{};
  int kills = 0;
  bool back = true;
  while (back && act.rig.clock().now() + 2s < act.fault_ends) {
    co_await act.rig.sleep(1500ms);
    act.rig.child().kill();
    ++kills;
    if (act.options.control == Control::forget && kills == 1) {
      std::error_code ignored;
      fs::remove_all(act.rig.folder() / "data", ignored);
    }
    const Instant killed = act.rig.clock().now();
    back = (co_await act.rig.restart()).has_value();
    slowest = std::max(slowest, act.rig.clock().now() - killed);
  }
  act.result.hold("it starts again after each kill", back && kills > 0,
                  fmt::format("{} kills, slowest start {:.2f} s", kills, seconds(slowest)));
  act.result.figures.push_back({"restart_s", seconds(slowest), 3, 2});
  co_await act.heal_platform();
}

std::string unable_clock_stepped(const DrillOptions&) {
  std::error_code failed;
  if (fs::exists(faketime_library, failed)) return {};
  return "needs libfaketime, of the Debian package faketime";
}

void prepare_clock_stepped(RigPlan& plan, const DrillOptions&) {
  plan.environment.push_back(fmt::format("LD_PRELOAD={}", faketime_library));
  plan.environment.push_back(fmt::format("FAKETIME_TIMESTAMP_FILE={}/clock", folder_placeholder));
  plan.environment.emplace_back("FAKETIME_CACHE_DURATION=1");
  plan.environment.emplace_back("FAKETIME_DONT_FAKE_MONOTONIC=1");
}

// An hour ahead, an hour behind, a day ahead, and right again.
asio::awaitable<void> clock_stepped(Act& act) {
  const Duration step = Deadline{act.fault_ends}.remaining(act.rig.clock().now()) / 3;
  std::string seen;
  bool stepped = true;
  for (const int offset_s : {3600, -3600, 86'400}) {
    set_clock(act.rig, fmt::format("{:+}", offset_s));
    co_await act.rig.sleep(step);
    const auto offset = co_await clock_offset(act.rig);
    stepped &= offset && std::abs(offset->count() - offset_s) <= 10;
    seen += fmt::format("{}{}", seen.empty() ? "" : ", ",
                        offset ? fmt::format("{:+} s", offset->count()) : "unknown");
  }
  act.result.hold("the server's clock was stepped by +1 h, -1 h, +24 h", stepped, seen);
  set_clock(act.rig, "+0");
}

}  // namespace vesper::drill
