#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/random.hpp"

namespace vesper {

/// A disk under SQLite that keeps files in memory, forgets at a power loss what was not synced, and
/// fails on request.
///   Shape: a SQLite VFS named "crash"; one disk at a time. A write is pending until its file is
///          synced. power_loss() keeps each pending write with 30 %, tears some at a 512-byte
///          boundary, drops the rest; order is not kept.
///   Why:   a killed process loses nothing that the kernel has, so `kill -9` cannot tell a durable
///          journal from one that is not.
///   Thread: one.
class CrashDisk {
 public:
  enum class Fault : std::uint8_t { none, power, input_output, full, short_write };

  explicit CrashDisk(std::uint64_t seed);
  ~CrashDisk();
  CrashDisk(const CrashDisk&) = delete;
  CrashDisk& operator=(const CrashDisk&) = delete;
  static const char* vfs_name() { return "crash"; }

  /// From the `at`-th call that changes the disk on (1: the next): once, or for ever.
  void arm(Fault fault, std::uint64_t at, bool persistent);
  void disarm() { fault_ = Fault::none; }
  [[nodiscard]] bool fired() const { return fired_; }
  [[nodiscard]] std::uint64_t calls() const { return calls_; }
  /// What is left when the machine comes up again. The process must have let go of all files.
  void power_loss();
  /// Flips one bit of a stored file; for tamper tests.
  [[nodiscard]] std::string& bytes_of(const std::string& name) { return files_[name].current; }

  struct Change {
    std::uint64_t offset = 0;
    std::string bytes;
    bool truncates = false;  ///< to `offset`
  };
  struct File {
    std::string current, durable;
    std::vector<Change> pending;
    std::vector<std::string> shared;  ///< the log's index: memory, gone with the process
  };
  /// What the VFS calls: true when this call is to fail; `kept` then says how many bytes a write
  /// still does.
  [[nodiscard]] int change(std::size_t size, std::size_t& kept);
  static void apply(std::string& bytes, const Change& change);
  std::map<std::string, File>& files() { return files_; }
  Random& random() { return random_; }

 private:
  std::map<std::string, File> files_;
  Random random_;
  Fault fault_ = Fault::none;
  std::uint64_t calls_ = 0, fault_at_ = 0;
  bool persistent_ = false, fired_ = false;
};

}  // namespace vesper
