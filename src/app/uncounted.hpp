#pragma once
#include "ports/telemetry.hpp"

namespace vesper {

/// Telemetry of the admin listener: none. The figures of `vesper_http_*` are the intake's, and a
/// scrape must not show up in them.
class Uncounted final : public Telemetry {
 public:
  void count(Counter, std::uint64_t) override {}
  void set(Gauge, std::int64_t) override {}
  void add(Gauge, std::int64_t) override {}
  void observe(Histogram, Duration) override {}
};

}  // namespace vesper
