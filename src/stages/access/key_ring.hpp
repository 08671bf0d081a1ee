#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "model/caller.hpp"
#include "stages/access/key_set.hpp"

namespace vesper::access {

/// What one `[[access.issuer]]` table says about tokens.
struct IssuerRules {
  std::string issuer{}, audience{};
  Scopes grantable{static_cast<std::uint8_t>(Scope::patient)};
  std::string subject_claim = "sub";  ///< where a patient's subjectId stands
  std::vector<BoundAlgorithm> algorithms{};
};

/// One issuer: its rules, and the keys in force.
struct Issuer {
  IssuerRules rules{};
  std::shared_ptr<const KeySet> keys{};  ///< nullptr: none at hand, tokens are asked to come again
};

/// All issuers at one moment.
///   Shape: immutable once shared; names of issuers are unique; another generation for any change.
struct KeyRing {
  std::vector<Issuer> issuers{};
  std::uint64_t generation = 0;

  [[nodiscard]] const Issuer* find(std::string_view issuer) const {
    for (const Issuer& candidate : issuers)
      if (candidate.rules.issuer == issuer) return &candidate;
    return nullptr;
  }
};

}  // namespace vesper::access
