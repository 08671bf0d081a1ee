#pragma once
#include <atomic>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/http.hpp"

namespace vesper {

/// Whether this node is willing to take traffic, and why not.
///   Shape:  each cause is a named question asked anew for every probe. A dead destination or mere
///           overload is never a cause: it would take healthy nodes out of the load balancer.
///   Thread: causes are added before the listeners start; afterwards any thread may ask.
class Health {
 public:
  /// Answers why the node is not ready, or nothing.
  using Cause = std::function<std::optional<std::string>()>;
  struct Reason {
    std::string_view cause;
    std::string text;
  };

  void add_cause(std::string_view name, Cause cause) {
    causes_.push_back({name, std::move(cause)});
  }
  /// The process is about to end: readyz fails at once, new work is refused.
  void stop() { stopping_.store(true, std::memory_order_relaxed); }
  [[nodiscard]] bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  /// Leaves (or rejoins) the load balancer; everything else goes on.
  void drain(bool on) { draining_.store(on, std::memory_order_relaxed); }
  [[nodiscard]] bool draining() const { return draining_.load(std::memory_order_relaxed); }
  [[nodiscard]] std::vector<Reason> reasons() const;

  /// 200 or 503 with `{"status":"ready"|"not ready","reasons":[{"cause","text"}]}`.
  void write_ready(Reply& reply) const;
  static void write_alive(Reply& reply);

 private:
  struct Named {
    std::string_view name;
    Cause ask;
  };
  std::vector<Named> causes_;
  std::atomic<bool> draining_{false}, stopping_{false};
};

}  // namespace vesper
