#include "io/files/memory_limit.hpp"

#include <algorithm>
#include <charconv>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>

namespace vesper {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream in{path, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::optional<std::uint64_t> number_at(std::string_view text) {
  while (text.starts_with(' ') || text.starts_with('\t')) text.remove_prefix(1);
  std::uint64_t value = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), value).ec != std::errc{}) return {};
  return value;
}

std::uint64_t machine_bytes(const std::string& root) {
  constexpr std::string_view label = "MemTotal:";
  const std::string text = text_of(root + "/proc/meminfo");
  const std::size_t at = text.find(label);
  if (at == std::string::npos) return 0;
  return number_at(std::string_view{text}.substr(at + label.size())).value_or(0) * 1024;
}

/// The least of a group's limit and those above it. A group is named as its host sees it: inside a
/// container its folder may not be there, and the mount's own stands for it.
std::uint64_t least_limit(const std::string& mount, std::string group, const char* file,
                          std::uint64_t least) {
  for (;;) {
    if (const auto limit = number_at(text_of(mount + group + "/" + file)))  // not `max`
      least = least == 0 ? *limit : std::min(least, *limit);
    const std::size_t slash = group.rfind('/');
    if (slash == std::string::npos) return least;
    group.resize(slash);
  }
}

}  // namespace

std::uint64_t memory_limit_bytes(const std::string& root) {
  std::uint64_t least = machine_bytes(root);
  const std::string mount = root + "/sys/fs/cgroup";
  const std::string groups = text_of(root + "/proc/self/cgroup");
  std::string_view rest{groups};
  while (!rest.empty()) {
    std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(line.size() + 1, rest.size()));
    const std::size_t name = line.find(':') + 1, path = line.find(':', name) + 1;
    if (name == 0 || path == 0) continue;
    const std::string_view controllers = line.substr(name, path - name - 1);
    std::string group{line.substr(path)};
    if (group == "/") group.clear();
    if (controllers.empty())
      least = least_limit(mount, group, "memory.max", least);
    else if (("," + std::string{controllers} + ",").find(",memory,") != std::string::npos)
      least = least_limit(mount + "/memory", group, "memory.limit_in_bytes", least);
  }
  return least;
}

}  // namespace vesper
