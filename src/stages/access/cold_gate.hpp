#pragma once
#include <string_view>

#include "stages/access/algorithm.hpp"

namespace vesper::access {

/// Asked before the signature of a token is checked that has not been seen before: may it be now?
///   `claimed`: the trial claim as it stands, believed by nobody: it may choose a part of the
///   budget and nothing else.
class ColdGate {
 public:
  virtual ~ColdGate() = default;
  [[nodiscard]] virtual bool admit(Algorithm algorithm, std::string_view claimed) = 0;
};

}  // namespace vesper::access
