#pragma once
#include "flows/limits/fair_use.hpp"
#include "ports/bundle_source.hpp"

namespace vesper {

/// Bundles that are made later while derivation is deferred: delivery tries again, a reader gets
/// the receipt without the bundle. Source bytes are durable, so nothing is lost by waiting.
class DeferredBundles final : public BundleSource {
 public:
  DeferredBundles(BundleSource& inner, const FairUse& fair_use)
      : inner_(inner), fair_use_(fair_use) {}
  std::expected<void, BundleFault> derive(const StoredDiary& diary, std::string& out) override {
    if (fair_use_.level() >= admission::DegradationLevel::derivation_deferred)
      return std::unexpected(BundleFault::not_yet);
    return inner_.derive(diary, out);
  }

 private:
  BundleSource& inner_;
  const FairUse& fair_use_;
};

}  // namespace vesper
