#pragma once
#include <memory>

#include "model/trial.hpp"

namespace vesper {

/// The trials in force, as an immutable snapshot.
///   Thread: any shard; wait-free: snapshot() is a read of the calling thread's own copy.
class Catalog {
 public:
  virtual ~Catalog() = default;
  /// Valid until the calling coroutine's next suspension unless the shared_ptr is kept.
  [[nodiscard]] virtual const std::shared_ptr<const TrialSnapshot>& snapshot() const = 0;
};

}  // namespace vesper
