#include "base/ensure.hpp"

#include <cstdio>
#include <cstdlib>

namespace vesper {

void ensure_failed(std::source_location where) noexcept {
  std::fprintf(stderr, "vesper: invariant broken at %s:%u in %s\n", where.file_name(),
               static_cast<unsigned>(where.line()), where.function_name());
  std::abort();
}

}  // namespace vesper
