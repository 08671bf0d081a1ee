#include <iostream>

#include "app/serve.hpp"

namespace vesper {

int run_serve(const Config&, bool) {
  std::cerr << "vesper: serve is not wired in this build\n";
  return static_cast<int>(ExitStatus::usage);
}

}  // namespace vesper
