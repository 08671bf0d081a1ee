#include "io/entropy/system_entropy.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/ensure.hpp"

namespace vesper {
namespace {

struct ReadAhead {
  std::array<std::uint8_t, 1024> bytes;
  std::size_t left = 0;  // the last `left` bytes are unused
};
thread_local ReadAhead read_ahead;

void read_system(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = ::getrandom(out.data(), out.size(), 0);
    // Without randomness no salt and no key is safe, and a kernel that has getrandom does not fail.
    ensure(got > 0 || errno == EINTR);
    if (got > 0) out = out.subspan(static_cast<std::size_t>(got));
  }
}

}  // namespace

void SystemEntropy::fill(std::span<std::uint8_t> out) {
  auto& ahead = read_ahead;
  if (out.size() >= ahead.bytes.size()) return read_system(out);
  while (!out.empty()) {
    if (ahead.left == 0) {
      read_system(ahead.bytes);
      ahead.left = ahead.bytes.size();
    }
    const std::size_t take = std::min(ahead.left, out.size());
    std::uint8_t* from = ahead.bytes.data() + ahead.bytes.size() - ahead.left;
    std::memcpy(out.data(), from, take);
    ::explicit_bzero(from, take);
    ahead.left -= take;
    out = out.subspan(take);
  }
}

}  // namespace vesper
