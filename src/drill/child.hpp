#pragma once
#include <sys/types.h>

#include <cstdint>
#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/time.hpp"

namespace vesper::drill {

/// What the kernel says of a process.
struct ProcessState {
  double cpu_s = 0;  ///< user and system time of all threads
  double memory_mib = 0;
  std::uint32_t descriptors = 0, threads = 0;
};

/// Limits that the kernel puts on a process.
///   Why: the naive service ends by them, and Vesper gets the same ones beside it.
struct ProcessLimits {
  std::uint32_t descriptors_max = 0;  ///< 0: as they are
  std::uint32_t memory_max_mib = 0;   ///< of data, not of mapped files; 0: as it is
};

/// How an end came about.
struct ProcessEnd {
  bool by_signal = false;
  int code = 0;  ///< exit status, or the signal
};

/// A server process of ours: `vesper serve`, or the naive one; it prints a line with
/// `event.action` `listening`.
///   Shape:  start -> kill, or stop -> start again. Killed when the object ends.
///   Thread: one.
class Child {
 public:
  struct Plan {
    std::vector<std::string> command;      ///< program first
    std::vector<std::string> environment;  ///< NAME=VALUE, the whole of it
    std::filesystem::path output;          ///< stdout and stderr, appended
    ProcessLimits limits;
  };
  explicit Child(Plan plan) : plan_(std::move(plan)) {}
  ~Child() { kill(); }
  Child(const Child&) = delete;

  [[nodiscard]] std::expected<void, std::string> spawn();
  /// The line `listening`, as soon as the output has it.
  [[nodiscard]] std::optional<std::string> listening() const;
  /// Ends it without warning, and waits.
  void kill();
  void signal(int number) const;
  /// Nothing while it runs.
  [[nodiscard]] std::optional<ProcessEnd> ended();
  [[nodiscard]] pid_t pid() const { return pid_; }
  /// Nothing when it does not run.
  [[nodiscard]] std::optional<ProcessState> state() const;
  /// The end of what it printed, for a report.
  [[nodiscard]] std::string last_words() const;
  [[nodiscard]] Plan& plan() { return plan_; }

 private:
  Plan plan_;
  pid_t pid_ = -1;
  std::uintmax_t output_began_ = 0;
  std::optional<ProcessEnd> end_;
};

/// As many descriptors as the system grants: a drill has thousands of clients.
void raise_own_descriptors();

/// The file that is this program.
[[nodiscard]] std::filesystem::path own_program();

}  // namespace vesper::drill
