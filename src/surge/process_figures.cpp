#include "surge/process_figures.hpp"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <string>

namespace vesper::surge {

std::optional<ProcessFigures> figures_of(int pid) {
  if (pid <= 0) return std::nullopt;
  std::ifstream in{fmt::format("/proc/{}/stat", pid)};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const std::size_t name_end = text.rfind(')');
  if (name_end == std::string::npos) return std::nullopt;
  std::istringstream fields{text.substr(name_end + 1)};
  // Fields 3 to 24 of proc(5): after the name, user time is the 12th and resident pages the 22nd.
  std::string skipped;
  double user = 0, system = 0, pages = 0;
  for (int i = 1; i <= 22; ++i) {
    if (i == 12)
      fields >> user;
    else if (i == 13)
      fields >> system;
    else if (i == 22)
      fields >> pages;
    else
      fields >> skipped;
  }
  if (!fields) return std::nullopt;
  constexpr double mib = 1 << 20;
  return ProcessFigures{(user + system) / static_cast<double>(sysconf(_SC_CLK_TCK)),
                        pages * static_cast<double>(sysconf(_SC_PAGESIZE)) / mib};
}

double own_cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
         static_cast<double>(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

}  // namespace vesper::surge
