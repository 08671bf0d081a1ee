#include "stages/admission/cold_checks.hpp"

#include <algorithm>

namespace vesper::admission {

void ColdChecks::roll(Instant now) {
  if (now - began_ < window) return;
  active_before_ = now - began_ < 2 * window ? active_ : 0;
  began_ = now;
  spent_ = {};
  parts_.fill({});
  active_ = 0;
}

bool ColdChecks::admit(std::uint64_t claimed, Duration cost, std::uint32_t percent, Instant now) {
  roll(now);
  const Duration budget = window * percent / 100;
  Duration& part = parts_[claimed % partitions];
  const bool first = part == Duration::zero();
  if (first) ++active_;
  const Duration even = budget / std::max({1u, active_, active_before_});
  const bool fits = spent_ + cost <= budget / 2 || part + cost <= even;
  if (fits) spent_ += cost;
  part += fits ? cost : first ? Duration{1} : Duration{};  // it asked: it counts as active
  return fits;
}

}  // namespace vesper::admission
