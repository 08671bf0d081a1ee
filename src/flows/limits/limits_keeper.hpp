#pragma once
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "ports/clock.hpp"
#include "ports/file_store.hpp"
#include "ports/journal_store.hpp"
#include "ports/log.hpp"
#include "stages/admission/limits.hpp"

namespace vesper {

/// The limits in force: those of the configuration, or what an operator put in their place.
///   Shape:  configured -set()-> an operator's -reset()-> configured. An operator's limits are kept
///           in a file beside the journal, and are in force again after a restart; a configuration
///           that is read again (SIGHUP) changes them only when none are kept.
///   Errors: set() and reset(): text for the operator; then nothing has changed.
///   Thread: load(), set(), reset(), configure() on the control executor; current() any.
class LimitsKeeper {
 public:
  struct Parts {
    Clock& clock;
    Log& log;
    JournalStore& journal;
    FileStore& files;
    std::string kept_path;
  };
  /// Who changed the limits; empty where the configuration's are in force.
  struct Change {
    std::string by, reason;
    WallTime at;
  };
  struct Refused {
    bool invalid = true;  ///< else the journal or the disk did not take it
    std::string why;
  };

  /// The door that decides, and in a dry run the one that would.
  struct DoorInForce {
    admission::DoorLimits rules;
    std::optional<admission::DoorLimits> tried;
  };

  LimitsKeeper(admission::Limits configured, Parts parts);

  /// Puts kept limits in force. Errors: the file is not one of ours.
  [[nodiscard]] std::expected<void, std::string> load();
  void configure(admission::Limits configured);
  /// `patch`: members of GET /limits' `limits`. Audited first, then kept, then in force.
  asio::awaitable<std::expected<void, Refused>> set(std::string patch, std::string by,
                                                    std::string reason);
  /// Back to the configuration's.
  asio::awaitable<std::expected<void, Refused>> reset(std::string by, std::string reason);

  [[nodiscard]] std::shared_ptr<const admission::Limits> current() const;
  /// Changes with every change; never 0.
  [[nodiscard]] std::uint64_t generation() const {
    return generation_.load(std::memory_order_acquire);
  }
  /// Control executor, or before it runs.
  [[nodiscard]] const std::optional<Change>& change() const { return change_; }
  [[nodiscard]] DoorInForce door() const;
  /// Told at once, and at every change after.
  void watch_door(std::function<void(const DoorInForce&)> changed);

 private:
  asio::awaitable<std::expected<void, Refused>> audit(std::string_view action, std::string target,
                                                      const Change& change);
  void put_in_force(admission::Limits limits);
  [[nodiscard]] admission::Limits base_of_kept() const;

  Parts parts_;
  admission::Limits configured_;
  std::optional<Change> change_;
  std::function<void(const DoorInForce&)> door_changed_;
  mutable std::mutex mutex_;
  std::shared_ptr<const admission::Limits> current_;  // under mutex_
  std::atomic<std::uint64_t> generation_{1};
};

/// One thread's own copy of the limits in force: no lock but in the request after a change.
///   Thread: one owner, such as a shard.
class LimitsView {
 public:
  explicit LimitsView(const LimitsKeeper& keeper) : keeper_(keeper) {}
  [[nodiscard]] const admission::Limits& current() {
    if (const std::uint64_t generation = keeper_.generation(); generation != seen_) {
      limits_ = keeper_.current();
      seen_ = generation;
    }
    return *limits_;
  }

 private:
  const LimitsKeeper& keeper_;
  std::uint64_t seen_ = 0;
  std::shared_ptr<const admission::Limits> limits_;
};

}  // namespace vesper
