#pragma once
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "ports/log.hpp"

namespace vesper {

/// A log that keeps its lines, for tests that ask what was said.
///   Thread: any.
class MemoryLog final : public Log {
 public:
  void write(LogLevel level, std::string_view action, std::string_view message,
             std::initializer_list<LogField> fields = {}) override;
  /// Every line so far, as JSON with a timestamp of 1970, without the newline.
  [[nodiscard]] std::vector<std::string> lines() const;
  /// How many lines had this event.action.
  [[nodiscard]] std::size_t count(std::string_view action) const;

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> actions_, lines_;
};

}  // namespace vesper
