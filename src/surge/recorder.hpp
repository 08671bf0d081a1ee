#pragma once
#include <memory>
#include <vector>

#include "surge/plan.hpp"
#include "surge/report.hpp"

namespace vesper::surge {

/// Counts outcomes by phase, trial and interval, and makes the report.
///   Bounds: Plan::intervals intervals, the curve's segments, 16 trials; each some 35 KB at most.
///   Thread: one owner.
class Recorder {
 public:
  explicit Recorder(const Plan& plan);

  void sent(Duration due, Duration late);
  void ended(const TryRecord& record);
  void accepted_diary(std::uint32_t tries, Duration at);
  void given_up(bool failed);
  /// CPU used since the start, when a phase begins.
  void phase_began(std::size_t phase, const CpuUse& so_far);
  void sampled(const Sample& sample);

  [[nodiscard]] std::size_t phase_at(Duration since_start) const;
  [[nodiscard]] const Tally& total() const { return total_; }
  /// Counts and latencies since the last call.
  [[nodiscard]] Tally take_recent();
  [[nodiscard]] Duration late_max_recent();

  /// Length, connections and stop are the caller's to fill in.
  [[nodiscard]] Report finish(const CpuUse& so_far);

 private:
  struct Interval {
    Tally tally;
    Duration late_max{};
  };
  [[nodiscard]] Interval& interval_at(Duration since_start);

  const Plan& plan_;
  Report report_;
  std::vector<std::unique_ptr<Interval>> intervals_;
  std::vector<CpuUse> phase_cpu_;
  Tally total_, recent_;
  Duration late_max_recent_{};
};

}  // namespace vesper::surge
