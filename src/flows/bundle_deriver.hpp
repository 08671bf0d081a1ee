#pragma once
#include "base/arena.hpp"
#include "ports/bundle_source.hpp"
#include "ports/catalog.hpp"
#include "stages/decode/decoder.hpp"

namespace vesper {

/// Rebuilds the bundle of a stored diary: decode, shape, write, with the form version that judged
/// it.
///   Shape:  a pure function of the stored row and its form version; nothing of now enters.
///   Thread: that of its catalog; memory is kept from one diary to the next.
///   Why:    decision 0150: the journal keeps the source bytes, not the bundle.
class BundleDeriver final : public BundleSource {
 public:
  explicit BundleDeriver(const Catalog& catalog) : catalog_(catalog) {}
  std::expected<void, BundleFault> derive(const StoredDiary& diary, std::string& out) override;

 private:
  const Catalog& catalog_;
  Decoder decoder_;
  Arena arena_;
};

}  // namespace vesper
