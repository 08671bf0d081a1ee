#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "base/task_record.hpp"

namespace vesper {

/// One line of a task's stack, as a profile has it.
struct TaskFrame {
  std::string_view function, file;
  std::uint32_t line = 0;
  friend auto operator<=>(const TaskFrame&, const TaskFrame&) = default;
};

/// Leaf first: where it waits, the task itself, its scopes from the innermost to the root.
[[nodiscard]] std::vector<TaskFrame> stack_of(const TaskRecord::View& task);

/// Tasks that differ in nothing but their times.
struct TaskGroup {
  TaskRecord::View task;  ///< one of them
  std::uint64_t count = 0;
};
/// Largest first.
[[nodiscard]] std::vector<TaskGroup> group_tasks(std::span<const TaskRecord::View> tasks);

/// Addresses for frames that have none, equal as long as the process lives: a profile in text can
/// only name addresses, and asks for their names later.
///   Bounds: frames are names in the source, and scopes.
///   Thread: one.
class FrameAddresses {
 public:
  static constexpr std::uint64_t spacing = 0x100;
  [[nodiscard]] std::uint64_t of(const TaskFrame& frame);
  /// A reader may ask for the address before the one it was told. Empty: unknown.
  [[nodiscard]] std::string_view name_of(std::uint64_t address) const;

 private:
  std::map<TaskFrame, std::uint64_t> addresses_;
  std::vector<std::string_view> names_;
};

/// `goroutine?debug=1`: counted stacks in the form that `go tool pprof` reads.
[[nodiscard]] std::string task_counts_text(std::span<const TaskRecord::View> tasks,
                                           FrameAddresses& addresses);
/// `goroutine?debug=2`: a block a task, those that wait longest first.
[[nodiscard]] std::string task_list_text(std::vector<TaskRecord::View> tasks, Instant now);

/// The path of a source file without what stood before `src/` where it was built.
[[nodiscard]] std::string_view source_path(std::string_view file);

}  // namespace vesper
