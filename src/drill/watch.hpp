#pragma once
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "drill/rig.hpp"

namespace vesper::drill {

/// The server and the platform at one moment; negative: not known.
struct Moment {
  double at_s = 0;  ///< since the watch began
  ProcessState process{};
  bool alive = false, answered = false;  ///< the process; its figures
  int ready_status = 0;                  ///< of /readyz; 0: no answer
  double tasks = -1, owed = -1, queue = -1, connections = -1;
  double stored = -1;       ///< diaries acknowledged, by the server's own count
  double effects = 0;       ///< at the platform
  double acknowledged = 0;  ///< by what the clients were told
  double platform_connections = 0;
};

/// Looks at a rig a few times a second, and keeps what it saw.
///   Bounds: moments_max moments; then every other one is thrown away, and the pace halved.
class Watch {
 public:
  /// `acknowledged`: diaries so far, by what the clients were told.
  Watch(
      Rig& rig, Duration every, std::function<double()> acknowledged = [] { return 0.0; })
      : rig_(rig), every_(every), acknowledged_(std::move(acknowledged)) {}

  /// Runs until stop().
  asio::awaitable<void> run();
  void stop() { stopping_ = true; }
  [[nodiscard]] bool ended() const { return ended_; }
  /// One look, kept like the others.
  asio::awaitable<Moment> look();

  [[nodiscard]] const std::vector<Moment>& moments() const { return moments_; }
  [[nodiscard]] Instant began() const { return began_; }

 private:
  asio::awaitable<void> ask_vesper(Moment& moment);
  asio::awaitable<void> ask_naive(Moment& moment);

  Rig& rig_;
  Duration every_;
  std::function<double()> acknowledged_;
  Instant began_{rig_.clock().now()};
  std::vector<Moment> moments_;
  bool stopping_ = false, ended_ = false;
};

/// Samples of a Prometheus text, name and labels as written to value.
[[nodiscard]] std::map<std::string, double, std::less<>> parse_samples(std::string_view text);

/// A number of a JSON object, also one level down: `memory.rss_bytes`.
[[nodiscard]] std::optional<double> number_at(std::string_view json, std::string_view path);

}  // namespace vesper::drill
