#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"

namespace vesper::admission {

/// What the server has given up so as to go on taking diaries; each level includes those before it.
enum class DegradationLevel : std::uint8_t {
  normal,
  exports_off,          ///< bulk reading is refused
  reads_off,            ///< all reading is refused
  derivation_deferred,  ///< bundles are made later; the check stays, source bytes are durable
  refuse                ///< diaries are refused too; health and operators never are
};

[[nodiscard]] std::string_view name_of(DegradationLevel level);

/// Goes through the levels one at a time, by pressure that lasts, or stays where a person put it.
///   Shape:  normal <-> exports_off <-> reads_off <-> derivation_deferred <-> refuse.
///           Up one level when pressure has been at or above its threshold for its hold; down one
///           when it has been below half of it for `calm`. A level that a person chose stays.
///   Units:  pressure is a wait over the wait that is aimed at; 1 is full use.
///   Thread: one owner.
class Degradation {
 public:
  struct Rule {
    double pressure;
    Duration hold;
  };
  struct Rules {
    /// To reach exports_off, reads_off, derivation_deferred, refuse.
    std::array<Rule, 4> up{{{1, 1s}, {1, 2s}, {2, 5s}, {40, 5s}}};
    Duration calm = 5s;
    bool automatic = true;
  };
  enum class Why : std::uint8_t { calm, pressure, operator_ };

  Degradation() : Degradation(Rules{}) {}
  explicit Degradation(const Rules& rules) : rules_(rules) {}

  /// A person decides; nothing: pressure alone decides again, from the level in force.
  void set(std::optional<DegradationLevel> level, Instant now);
  /// Whether pressure may raise the level at all.
  void allow_automatic(bool allowed) { rules_.automatic = allowed; }
  /// The latest pressure; returns true when the level has changed.
  bool observe(double pressure, Instant now);

  [[nodiscard]] DegradationLevel level() const { return level_; }
  [[nodiscard]] Instant since() const { return since_; }
  [[nodiscard]] Why why() const { return why_; }
  [[nodiscard]] std::optional<DegradationLevel> chosen() const { return chosen_; }

 private:
  void move(DegradationLevel level, Why why, Instant now);

  Rules rules_;
  DegradationLevel level_ = DegradationLevel::normal;
  Why why_ = Why::calm;
  std::optional<DegradationLevel> chosen_;
  Instant since_{};
  std::optional<Instant> pressed_since_, calm_since_;
};

}  // namespace vesper::admission
