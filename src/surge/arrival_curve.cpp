#include "surge/arrival_curve.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

namespace vesper::surge {
namespace {

double seconds(Duration d) {
  return std::chrono::duration<double>(d).count();
}
Duration duration(double s) {
  return Duration{static_cast<std::int64_t>(s * 1e9)};
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t end = text.find(at);
    out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::optional<double> number(std::string_view text, double most) {
  double value = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (fault != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (!(value >= 0 && value <= most)) return std::nullopt;
  return value;
}

constexpr double seconds_max = 86'400;

// `first` is what xN multiplies; below zero: nothing yet.
std::optional<double> rate(std::string_view text, double first) {
  if (!text.starts_with('x')) return number(text, rate_max_per_s);
  const auto times = number(text.substr(1), rate_max_per_s);
  if (!times || first < 0 || *times * first > rate_max_per_s) return std::nullopt;
  return *times * first;
}

}  // namespace

Duration ArrivalCurve::length() const {
  Duration sum{};
  for (const Segment& segment : segments) sum += segment.length;
  return sum;
}

double ArrivalCurve::rate_at(Duration since_start) const {
  for (const Segment& segment : segments) {
    if (since_start < segment.length) {
      const double share = seconds(since_start) / seconds(segment.length);
      return segment.from_per_s + (segment.to_per_s - segment.from_per_s) * share;
    }
    since_start -= segment.length;
  }
  return 0;
}

ArrivalCurve ArrivalCurve::scaled(double share) const {
  ArrivalCurve out = *this;
  for (Segment& segment : out.segments) segment.from_per_s *= share, segment.to_per_s *= share;
  for (Push& push : out.pushes)
    push.diaries = static_cast<std::uint32_t>(std::lround(push.diaries * share));
  return out;
}

std::expected<std::vector<Segment>, std::string> parse_segments(std::string_view text) {
  std::vector<Segment> out;
  double first = -1;
  for (const std::string_view part : split(text, ',')) {
    const auto fault = [&](std::string_view what) {
      return std::unexpected(fmt::format("`{}`: {}", part, what));
    };
    const auto pieces = split(part, ':');
    if (pieces.size() != 2) return fault("must be RATE:SECONDS or RATE-RATE:SECONDS");
    const auto rates = split(pieces[0], '-');
    if (rates.size() > 2) return fault("has more than two rates");
    const auto from = rate(rates.front(), first), to = rate(rates.back(), first);
    if (!from || !to) return fault("a rate is a number up to 1000000, or xN after the first");
    const auto length = number(pieces[1], seconds_max);
    if (!length || *length <= 0) return fault("seconds are a number above 0, up to 86400");
    if (out.size() == segments_max) return fault("is one part more than 64");
    if (first < 0) first = *from;
    out.push_back({duration(*length), *from, *to});
  }
  return out;
}

std::expected<std::vector<Push>, std::string> parse_pushes(std::string_view text) {
  std::vector<Push> out;
  if (text.empty()) return out;
  for (const std::string_view part : split(text, ',')) {
    const auto pieces = split(part, ':');
    const auto at = number(pieces[0], seconds_max);
    const auto diaries =
        pieces.size() > 1 ? number(pieces[1], rate_max_per_s) : std::optional<double>{};
    const auto spread =
        pieces.size() > 2 ? number(pieces[2], seconds_max) : std::optional<double>{0};
    if (pieces.size() > 3 || !at || !diaries || !spread || *diaries != std::floor(*diaries))
      return std::unexpected(fmt::format("`{}`: must be AT:DIARIES or AT:DIARIES:SECONDS", part));
    if (out.size() == pushes_max)
      return std::unexpected(fmt::format("`{}`: is one push more than 1000", part));
    out.push_back({duration(*at), static_cast<std::uint32_t>(*diaries), duration(*spread)});
  }
  std::ranges::sort(out, {}, &Push::at);
  return out;
}

Arrivals::Arrivals(ArrivalCurve curve, Random random) : curve_(std::move(curve)), random_(random) {
  std::erase_if(curve_.pushes, [](const Push& push) { return push.diaries == 0; });
  std::ranges::sort(curve_.pushes, {}, &Push::at);
  drawn_ = draw();
}

std::optional<Duration> Arrivals::next() {
  const auto push = pushed();
  if (push && (!drawn_ || *push <= *drawn_)) {
    if (++of_push_ == curve_.pushes[push_].diaries) ++push_, of_push_ = 0;
    return push;
  }
  const auto out = drawn_;
  if (out) drawn_ = draw();
  return out;
}

std::optional<Duration> Arrivals::pushed() const {
  if (push_ == curve_.pushes.size()) return std::nullopt;
  const Push& push = curve_.pushes[push_];
  return push.at + duration(seconds(push.spread) * of_push_ / push.diaries);
}

// The area below the curve between two arrivals is exponentially distributed.
std::optional<Duration> Arrivals::draw() {
  double area = -std::log(1.0 - random_.unit());
  for (; segment_ < curve_.segments.size(); ++segment_, in_segment_s_ = 0) {
    const Segment& segment = curve_.segments[segment_];
    const double length = seconds(segment.length);
    const double slope = (segment.to_per_s - segment.from_per_s) / length;
    const double here = segment.from_per_s + slope * in_segment_s_;
    const double left = length - in_segment_s_;
    const double rest = (here + segment.to_per_s) / 2 * left;
    if (area >= rest || rest <= 0) {
      area -= std::max(rest, 0.0);
      segment_began_s_ += length;
      continue;
    }
    // here * t + slope / 2 * t^2 = area, in the form that does not cancel for small slopes.
    const double step = 2 * area / (here + std::sqrt(here * here + 2 * slope * area));
    in_segment_s_ += std::min(step, left);
    return duration(segment_began_s_ + in_segment_s_);
  }
  return std::nullopt;
}

}  // namespace vesper::surge
