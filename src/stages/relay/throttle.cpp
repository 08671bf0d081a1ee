#include "stages/relay/throttle.hpp"

#include <algorithm>
#include <cmath>

namespace vesper::relay {

void Throttle::start(Instant now, double unit) {
  tally_.add(now, requests);
  const double asked = tally_.sum(now, requests), taken = tally_.sum(now, accepts);
  probability_ = std::max(0.0, (asked - rule_.calm - rule_.k * taken) / (asked + 1));
  next_ = now;
  if (probability_ <= 0) return;
  // A turn is the time between two tries of late: thinning out must not depend on the rate.
  const Duration turn = std::min(tally_.span() / static_cast<std::int64_t>(asked), rule_.turn_max);
  const double turned_away = std::floor(std::log1p(-unit) / std::log(probability_));
  const double turns = static_cast<double>(rule_.wait_max / turn);
  const auto n = static_cast<std::uint32_t>(std::min(turned_away, turns));
  next_ = now + std::min<Duration>(turn * n, rule_.wait_max);
  tally_.add(now, requests, n);
}

void Throttle::answered(Instant now, std::uint32_t others) {
  tally_.add(now, accepts);
  if (probability_ <= 0) return;
  if (++answers_in_row_ >= rule_.streak) return clear();
  if (others == 0 || answers_in_row_ >= 2) next_ = std::min(next_, now);
}

void Throttle::clear() {
  tally_.clear();
  probability_ = 0;
  answers_in_row_ = 0;
  next_ = {};
}

}  // namespace vesper::relay
