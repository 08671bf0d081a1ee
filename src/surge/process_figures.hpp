#pragma once
#include <optional>

namespace vesper::surge {

struct ProcessFigures {
  double cpu_s = 0;  ///< user and system time of all threads, ended ones too
  double rss_mib = 0;
};

/// Read from /proc; nothing when there is no such process.
[[nodiscard]] std::optional<ProcessFigures> figures_of(int pid);
/// User and system time of this process, in seconds.
[[nodiscard]] double own_cpu_s();

}  // namespace vesper::surge
