#pragma once
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "base/time.hpp"

namespace vesper::surge {

/// A stretch of the evening in which the rate moves evenly from one value to another.
struct Segment {
  Duration length{};
  double from_per_s = 0, to_per_s = 0;
};

/// A reminder that makes many patients open the app at once.
struct Push {
  Duration at{};  ///< since the start
  std::uint32_t diaries = 0;
  Duration spread{};  ///< zero: all in the same instant
};

/// How many diaries become due when: baseline, ramp, step, and bursts beside them.
///   Units:  diaries a second; times since the start.
///   Bounds: segments_max segments, pushes_max pushes.
struct ArrivalCurve {
  std::vector<Segment> segments{};
  std::vector<Push> pushes{};

  [[nodiscard]] Duration length() const;
  [[nodiscard]] double rate_at(Duration since_start) const;
  /// The part of it that falls on one of several trials.
  [[nodiscard]] ArrivalCurve scaled(double share) const;
};

inline constexpr std::size_t segments_max = 64, pushes_max = 1000;
inline constexpr double rate_max_per_s = 1e6;

/// `RATE[-RATE]:SECONDS,...`; `xN` is N times the first rate: `400:5,400-2000:2,x20:10,x1:5`.
///   Errors: one sentence that names the part.
[[nodiscard]] std::expected<std::vector<Segment>, std::string> parse_segments(
    std::string_view text);
/// `AT:DIARIES[:SPREAD],...`, times in seconds: `3:60,8:600:0.5`.
[[nodiscard]] std::expected<std::vector<Push>, std::string> parse_pushes(std::string_view text);

/// The moments at which diaries become due: Poisson along the curve, and the pushes.
///   Shape: each call gives the next moment, never an earlier one; nothing: the curve has ended.
///   Why:   a phone does not wait for the answer to another phone (open loop).
class Arrivals {
 public:
  Arrivals(ArrivalCurve curve, Random random);
  [[nodiscard]] std::optional<Duration> next();

 private:
  [[nodiscard]] std::optional<Duration> draw();
  [[nodiscard]] std::optional<Duration> pushed() const;

  ArrivalCurve curve_;
  Random random_;
  std::size_t segment_ = 0, push_ = 0;
  std::uint32_t of_push_ = 0;
  double segment_began_s_ = 0, in_segment_s_ = 0;
  std::optional<Duration> drawn_;
};

}  // namespace vesper::surge
