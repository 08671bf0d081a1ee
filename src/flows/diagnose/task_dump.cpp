#include "flows/diagnose/task_dump.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace vesper {
namespace {

void append_number(std::string& out, std::uint64_t number) {
  char digits[20];
  out.append(digits, std::to_chars(digits, digits + sizeof digits, number).ptr);
}

/// Seconds with three decimals.
void append_seconds(std::string& out, Duration length) {
  const auto all_ms = std::chrono::duration_cast<std::chrono::milliseconds>(length).count();
  const auto ms = static_cast<std::uint64_t>(std::max<std::int64_t>(all_ms, 0));
  append_number(out, ms / 1000);
  const auto rest = static_cast<char>(ms % 1000 / 100);
  out += '.';
  out += static_cast<char>('0' + rest);
  out += static_cast<char>('0' + ms / 10 % 10);
  out += static_cast<char>('0' + ms % 10);
  out += " s";
}

void append_task(std::string& out, const TaskRecord::View& task, Instant now) {
  out += "\ntask ";
  append_number(out, task.number);
  out.append(" [").append(task.site).append(", ");
  append_seconds(out, now - task.since);
  out.append("]:\n  name: ").append(task.name).append("\n  owner: ").append(task.owner->path);
  out.append("\n  thread: ").append(task.owner->thread).append("\n  created: ");
  out.append(source_path(task.created.file_name())) += ':';
  append_number(out, task.created.line());
  out.append("\n  waits: ").append(task.site).append("\n  since: ");
  append_seconds(out, now - task.since);
  out += " ago\n  deadline: ";
  if (task.deadline == Instant::max()) {
    out += "none";
  } else if (task.deadline >= now) {
    out += "in ";
    append_seconds(out, task.deadline - now);
  } else {
    append_seconds(out, now - task.deadline);
    out += " ago";
  }
  out += "\n  age: ";
  append_seconds(out, now - task.born);
  out += '\n';
}

}  // namespace

std::string_view source_path(std::string_view file) {
  const auto at = file.rfind("src/");
  return at == file.npos ? file : file.substr(at);
}

std::vector<TaskFrame> stack_of(const TaskRecord::View& task) {
  std::vector<TaskFrame> frames{{task.site, "", 0},
                                {task.name, source_path(task.created.file_name()),
                                 static_cast<std::uint32_t>(task.created.line())}};
  std::string_view path = task.owner->path;
  while (!path.empty()) {
    frames.push_back({path, "", 0});
    path = path.substr(0, path.rfind('/') == path.npos ? 0 : path.rfind('/'));
  }
  return frames;
}

std::vector<TaskGroup> group_tasks(std::span<const TaskRecord::View> tasks) {
  using Key = std::tuple<const char*, const char*, const ScopeRecord*, const char*, std::uint32_t>;
  std::map<Key, std::size_t> places;
  std::vector<TaskGroup> groups;
  for (const auto& task : tasks) {
    const Key key{task.site, task.name, task.owner, task.created.file_name(),
                  static_cast<std::uint32_t>(task.created.line())};
    const auto [at, added] = places.try_emplace(key, groups.size());
    if (added) groups.push_back({task, 0});
    ++groups[at->second].count;
  }
  std::ranges::sort(groups, std::greater{}, &TaskGroup::count);
  return groups;
}

std::uint64_t FrameAddresses::of(const TaskFrame& frame) {
  const auto [at, added] = addresses_.try_emplace(frame, (names_.size() + 1) * spacing);
  if (added) names_.push_back(frame.function);
  return at->second;
}

std::string_view FrameAddresses::name_of(std::uint64_t address) const {
  const std::uint64_t number = (address + spacing - 1) / spacing;
  return number == 0 || number > names_.size() ? std::string_view{} : names_[number - 1];
}

std::string task_counts_text(std::span<const TaskRecord::View> tasks, FrameAddresses& addresses) {
  std::string out = fmt::format("goroutine profile: total {}\n", tasks.size());
  auto to = std::back_inserter(out);
  for (const auto& group : group_tasks(tasks)) {
    const auto stack = stack_of(group.task);
    fmt::format_to(to, "{} @", group.count);
    for (const auto& frame : stack) fmt::format_to(to, " {:#x}", addresses.of(frame));
    out += '\n';
    for (const auto& frame : stack) {
      fmt::format_to(to, "#\t{:#x}\t{}", addresses.of(frame), frame.function);
      if (frame.line != 0) fmt::format_to(to, "\t{}:{}", frame.file, frame.line);
      out += '\n';
    }
    out += '\n';
  }
  return out;
}

std::string task_list_text(std::vector<TaskRecord::View> tasks, Instant now) {
  std::ranges::sort(tasks, {}, &TaskRecord::View::since);
  constexpr std::size_t block_bytes = 300;
  std::string out;
  out.reserve(64 + tasks.size() * block_bytes);
  out += "tasks: total ";
  append_number(out, tasks.size());
  out += '\n';
  for (const auto& task : tasks) append_task(out, task, now);
  return out;
}

}  // namespace vesper
