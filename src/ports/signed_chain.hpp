#pragma once
#include <optional>

#include "model/group_proof.hpp"

namespace vesper {

/// The end of the audit chain, for those who carry it out of the journal's reach.
///   Thread: any; a short lock.
class SignedChain {
 public:
  virtual ~SignedChain() = default;
  /// Of the newest committed group; nothing before the first that is signed.
  [[nodiscard]] virtual std::optional<SignedLink> newest_link() const = 0;
};

}  // namespace vesper
