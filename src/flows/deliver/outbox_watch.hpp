#pragma once
#include <map>
#include <string>
#include <vector>

#include "flows/deliver/delivery.hpp"

namespace vesper {

/// Looks at what is owed every few seconds: gauges for /metrics, and alarms for what waits for a
/// person.
///   Shape: an alarm is a log line when its cause appears and once an hour while it lasts: diaries
///          that are parked, and debts to destinations that have left the configuration.
///   Thread: the delivery executor. `delivery` and `ports` outlive run(), which ends when
///   cancelled.
class OutboxWatch {
 public:
  OutboxWatch(Delivery& delivery, Clock& clock, Telemetry& telemetry, Log& log)
      : delivery_(delivery), clock_(clock), telemetry_(telemetry), log_(log) {}
  asio::awaitable<void> run(TaskRecord* task = nullptr);

 private:
  struct Sums {
    std::uint64_t owed = 0, blocked = 0, parked = 0, unconfigured = 0, shut = 0, paused = 0;
    Duration oldest{};
  };
  void look(const std::vector<OutboxRow>& rows);
  void show(const Sums& sums);
  void alarm(const OutboxRow& row);

  Delivery& delivery_;
  Clock& clock_;
  Telemetry& telemetry_;
  Log& log_;
  std::map<std::string, Instant> told_;  ///< by destination: when its alarm was last written
};

}  // namespace vesper
