#pragma once
#include <memory>
#include <string_view>

#include "stages/access/key_ring.hpp"

namespace vesper {

/// The keys in force, as one shard sees them.
///   Thread: its shard; ring() is a read of the shard's own pointer.
class KeySource {
 public:
  virtual ~KeySource() = default;
  [[nodiscard]] virtual const std::shared_ptr<const access::KeyRing>& ring() const = 0;
  /// Asks for a key that is not at hand. True while it may still come (a refresh is pending,
  /// refused or held back): the caller is told to try again, never that its token is wrong.
  virtual bool may_come(std::string_view issuer, std::string_view kid) = 0;
};

}  // namespace vesper
