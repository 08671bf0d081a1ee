#include "app/input_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <memory>

namespace vesper {

std::expected<std::string, std::string> read_input(const std::string& path) {
  struct Close {
    void operator()(std::FILE* file) const {
      if (file != stdin) std::fclose(file);
    }
  };
  const std::unique_ptr<std::FILE, Close> file{path == "-" ? stdin
                                                           : std::fopen(path.c_str(), "rbe")};
  if (!file) return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  std::string out;
  std::array<char, 65536> part;
  while (const std::size_t got = std::fread(part.data(), 1, part.size(), file.get())) {
    out.append(part.data(), got);
    if (out.size() > input_bytes_max)
      return std::unexpected(fmt::format("{}: more than {} bytes", path, input_bytes_max));
  }
  if (std::ferror(file.get()) != 0)
    return std::unexpected(fmt::format("{}: {}", path, std::strerror(errno)));
  return out;
}

}  // namespace vesper
