#pragma once
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/task_record.hpp"
#include "ports/clock.hpp"
#include "ports/log.hpp"
#include "ports/telemetry.hpp"

namespace vesper {

/// Tells in the log who was refused: by reason and count, never by name.
///   Shape:  each second one line for each reason for which anybody was refused since the last.
///   Bounds: at most one line a second and reason, whatever the load.
///   Thread: one owner, such as the admin's.
///   Why:    it reads the counters that refusals keep anyway, so a refusal does nothing for it.
class RefusalWatch {
 public:
  static constexpr Duration look_every = std::chrono::seconds{1};
  using Total = std::function<std::uint64_t(Counter)>;

  RefusalWatch(Clock& clock, Log& log, Total total);

  /// Until it is cancelled.
  boost::asio::awaitable<void> run(TaskRecord* task);
  /// Once; how many lines it wrote.
  std::size_t look();

 private:
  Clock& clock_;
  Log& log_;
  Total total_;
  std::vector<std::uint64_t> told_;  ///< of each reason, at the last look
};

}  // namespace vesper
