#pragma once
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "ports/http_service.hpp"

namespace vesper {

/// What the admin port serves: a table of routes that its parts add at start.
///   Shape:  a route's path is exact, or a prefix that ends with `/` and hands on what follows.
///           Routes that change something are POST and pass the guard first.
///   Thread: the admin thread; the table does not change once the listener is open.
class AdminService final : public HttpService {
 public:
  using Handler = std::function<asio::awaitable<void>(Exchange& exchange, std::string_view rest)>;
  /// Leaves a refusal in exchange.reply and returns true, or false to let the request through.
  using Guard = std::function<bool(Exchange& exchange, bool changes)>;
  using Explain = std::function<void(std::uint16_t, std::string_view, Reply&)>;

  struct Route {
    Method method;
    std::string path;
    bool changes;  ///< asks for the guard's full proof
    bool open;     ///< a probe: no guard at all (healthz, readyz)
    Handler handle;
  };

  AdminService(Guard guard, Explain explain)
      : guard_(std::move(guard)), explain_(std::move(explain)) {}
  void add(Route route) { routes_.push_back(std::move(route)); }

  bool begin(Exchange& exchange) override;
  asio::awaitable<void> serve(Exchange& exchange) override;
  void explain(std::uint16_t status, std::string_view diagnostics, Reply& reply) override {
    explain_(status, diagnostics, reply);
  }

 private:
  [[nodiscard]] const Route* find(const RequestHead& head, bool& path_known) const;

  Guard guard_;
  Explain explain_;
  std::vector<Route> routes_;
};

}  // namespace vesper
