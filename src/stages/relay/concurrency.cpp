#include "stages/relay/concurrency.hpp"

#include <algorithm>

namespace vesper::relay {

Concurrency::Concurrency(const Rule& rule)
    : rule_(rule), limit_(rule.most), threshold_(rule.most) {}

void Concurrency::answered(Instant now, Instant began, bool alone) {
  const Duration took = now - began;
  if (alone) quickness_.alone(took);
  if (began < decreased_) return;
  ++count_;
  sum_ += took;
  slow_ += took >= quickness_.slow_from(rule_.slow_least, rule_.tolerance) ? 1 : 0;
  close_if_complete(now);
}

void Concurrency::overloaded(Instant now, Instant began) {
  if (began < decreased_) return;
  ++overloaded_;
  // Who is turned away at once comes back at once: waiting for the round would cost many tries.
  const std::uint32_t borne = std::max(count_ + overloaded_, limit_);
  if (overloaded_ < 2 || overloaded_ <= rule_.overload_share * borne) return close_if_complete(now);
  shrink(now);
  begin_round(now);
}

void Concurrency::close_if_complete(Instant now) {
  const std::uint32_t all = count_ + overloaded_;
  if (now < began_ + round_ || all < std::min<std::uint32_t>(limit_, 8)) return;
  const Duration mean = count_ == 0 ? Duration::zero() : sum_ / count_;
  if (count_ > 0) {
    quickness_.among(mean);
    round_ = std::clamp<Duration>(mean, 10ms, 1s);
  }
  const bool overload = overloaded_ > rule_.overload_share * all;
  if (overload || (count_ > 0 && 2 * slow_ >= count_))
    shrink(now);
  else if (reached_)
    grow(now, mean);
  begin_round(now);
}

void Concurrency::grow(Instant now, Duration mean) {
  const bool clean = limit_ < threshold_ || now - decreased_ >= rule_.clean_for;
  const std::uint32_t step = mean >= rule_.ponderous ? 1
                             : clean                 ? limit_
                                                     : std::max<std::uint32_t>(1, limit_ / 16);
  limit_ = std::min(limit_ + step, rule_.most);
}

void Concurrency::shrink(Instant now) {
  limit_ = std::max(static_cast<std::uint32_t>(limit_ * rule_.decrease), rule_.least);
  threshold_ = std::max<std::uint32_t>(limit_, 2);
  decreased_ = now;
}

void Concurrency::begin_round(Instant now) {
  count_ = slow_ = overloaded_ = 0;
  sum_ = {};
  began_ = now;
  reached_ = false;
}

void Concurrency::restart(Instant now, std::uint32_t from, bool congested) {
  threshold_ = congested ? std::max(limit_ / 2, rule_.first) : rule_.most;
  limit_ = std::clamp(from, rule_.least, rule_.most);
  round_ = 10ms;
  begin_round(now);
  decreased_ = now;
}

void Concurrency::recovered(Instant now, Duration took) {
  quickness_.among(took);
  restart(now, std::max(limit_, rule_.first), false);
}

}  // namespace vesper::relay
