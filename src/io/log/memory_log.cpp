#include "io/log/memory_log.hpp"

#include <algorithm>

#include "io/log/log_line.hpp"

namespace vesper {

void MemoryLog::write(LogLevel level, std::string_view action, std::string_view message,
                      std::initializer_list<LogField> fields) {
  std::string line;
  append_log_line(line, WallTime{}, level, action, message, fields);
  line.pop_back();
  std::lock_guard lock{mutex_};
  actions_.emplace_back(action);
  lines_.push_back(std::move(line));
}

std::vector<std::string> MemoryLog::lines() const {
  std::lock_guard lock{mutex_};
  return lines_;
}

std::size_t MemoryLog::count(std::string_view action) const {
  std::lock_guard lock{mutex_};
  return static_cast<std::size_t>(std::count(actions_.begin(), actions_.end(), action));
}

}  // namespace vesper
