#include "stages/admission/degradation.hpp"

#include <utility>

namespace vesper::admission {

std::string_view name_of(DegradationLevel level) {
  switch (level) {
    case DegradationLevel::normal:
      return "normal";
    case DegradationLevel::exports_off:
      return "exports-off";
    case DegradationLevel::reads_off:
      return "reads-off";
    case DegradationLevel::derivation_deferred:
      return "derivation-deferred";
    case DegradationLevel::refuse:
      return "refuse";
  }
  std::unreachable();
}

void Degradation::move(DegradationLevel level, Why why, Instant now) {
  level_ = level;
  why_ = why;
  since_ = now;
  pressed_since_.reset();
  calm_since_.reset();
}

void Degradation::set(std::optional<DegradationLevel> level, Instant now) {
  chosen_ = level;
  if (level && *level != level_) move(*level, Why::operator_, now);
  if (level) why_ = Why::operator_;
  if (!level) why_ = level_ == DegradationLevel::normal ? Why::calm : Why::pressure;
}

bool Degradation::observe(double pressure, Instant now) {
  if (chosen_) return false;
  const auto at = static_cast<std::size_t>(level_);
  const bool pressed =
      rules_.automatic && at < rules_.up.size() && pressure >= rules_.up[at].pressure;
  const bool calm = at > 0 && (!rules_.automatic || pressure < rules_.up[at - 1].pressure / 2);
  if (!pressed) pressed_since_.reset();
  if (!calm) calm_since_.reset();
  if (pressed && !pressed_since_) pressed_since_ = now;
  if (calm && !calm_since_) calm_since_ = now;
  if (pressed && now - *pressed_since_ >= rules_.up[at].hold) {
    move(static_cast<DegradationLevel>(at + 1), Why::pressure, now);
    return true;
  }
  if (calm && now - *calm_since_ >= rules_.calm) {
    const auto lower = static_cast<DegradationLevel>(at - 1);
    move(lower, lower == DegradationLevel::normal ? Why::calm : Why::pressure, now);
    return true;
  }
  return false;
}

}  // namespace vesper::admission
