#pragma once
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <expected>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "drill/offer.hpp"
#include "drill/result.hpp"
#include "drill/rig.hpp"
#include "drill/watch.hpp"

namespace vesper::drill {

/// What spoils a run on purpose: the drill must then fail, or it sees nothing.
enum class Control : std::uint8_t {
  none,
  lie,     ///< the platform confirms one delivery that it never applied
  twice,   ///< the platform applies one delivery two times
  stall,   ///< the server is stopped for a while after the fault has gone
  forget,  ///< the journal is deleted while the server is down
  stay     ///< clients that should leave keep their connections
};
[[nodiscard]] std::optional<Control> control_named(std::string_view name);
[[nodiscard]] std::string_view name_of(Control control);
inline constexpr std::string_view control_names = "none lie twice stall forget stay";

/// How a run is wanted.
struct DrillOptions {
  std::filesystem::path program;         ///< the server
  std::vector<std::string> environment;  ///< of the server, without VESPER__
  double rate_per_s = 200;
  Duration fault_for = 10s, quiet_for = 5s;
  Duration latency_max = 100ms;    ///< p99 of accepted diaries while all is well
  double refused_max_percent = 1;  ///< of tries, while all is well
  std::uint64_t seed = 1;
  Control control = Control::none;
  std::function<void(const std::string&)> say = [](const std::string&) {};
};

/// How a drill differs from the plain evening.
struct DrillShape {
  double times = 1;         ///< the rate while the fault lasts, over the rate before
  bool refuses = false;     ///< refusals are right while the fault lasts
  bool unready = false;     ///< readyz may fail while the fault lasts
  bool unanswered = false;  ///< connections may be cut while the fault lasts
  bool returns = true;      ///< who was refused comes back as told
  bool laborious = false;   ///< making the fault takes the machine's CPU
};

/// A diary whose client left before it could be told.
struct Abandoned {
  std::uint32_t patient = 0;
  Uuid delivery{};
  Duration sent{};
};

/// A drill under way, for its own steps and promises.
struct Act {
  const DrillOptions& options;
  Rig& rig;
  Watch& watch;
  Offer& offer;
  Result& result;
  Instant fault_ends{};                  ///< when the fault is to be healed
  std::optional<Duration> resumed_in{};  ///< from healing to the next effect at the platform
  std::vector<Abandoned> abandoned{};
  std::vector<std::shared_ptr<asio::ip::tcp::socket>> kept{};  ///< of clients that stayed

  /// The platform is itself again, but for a control's lie; notes how soon deliveries resume.
  asio::awaitable<void> heal_platform();
};

/// A named fault with its promises.
struct Drill {
  std::string_view name, summary;
  DrillShape shape;
  std::string (*unable)(const DrillOptions&);  ///< why it cannot run here; empty: it can
  void (*prepare)(RigPlan&, const DrillOptions&);
  asio::awaitable<void> (*fault)(Act&);  ///< makes the fault, waits, heals it
  void (*judge)(Act&, const surge::Report&);
};

[[nodiscard]] std::span<const Drill> drills();
[[nodiscard]] const Drill* find_drill(std::string_view name);

/// Plays a drill from start to verdict.
///   Errors: a sentence; the drill itself could not be set up.
[[nodiscard]] std::expected<Result, std::string> run_drill(const Drill& drill,
                                                           const DrillOptions& options);

/// The plain evening's phases, as the surge engine reports them.
enum Phase : std::size_t { phase_before, phase_during, phase_settling, phase_after };

}  // namespace vesper::drill
