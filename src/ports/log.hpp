#pragma once
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <variant>

#include "base/uuid.hpp"

namespace vesper {

/// `always` is written whatever the level in force, as `info`: what scripts wait for.
enum class LogLevel : std::uint8_t { debug, info, warn, error, always };

/// One field of a log line. The types are an allow-list: text is for names we choose (a trial id, a
/// destination, an error code); there is no conversion from PatientText, so patient content cannot
/// be logged.
struct LogField {
  std::string_view name;  ///< ECS or `vesper.*` name
  std::variant<std::string_view, std::int64_t, double, bool, Uuid> value;
};

/// JSON lines on stdout in io/log, kept in memory in tests and sim.
///   Thread: any; never blocks on the caller's thread, drops and counts when its queue is full.
class Log {
 public:
  virtual ~Log() = default;
  virtual void write(LogLevel level, std::string_view action, std::string_view message,
                     std::initializer_list<LogField> fields = {}) = 0;
};

}  // namespace vesper
