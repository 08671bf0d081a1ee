#pragma once
#include <boost/asio/awaitable.hpp>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "flows/routes.hpp"
#include "ports/http_service.hpp"

namespace vesper {

/// What the admin port serves: the rows of flows/routes.cpp, and the handlers that its parts add
/// for them at start.
///   Shape:  a trailing slash of a path is let be. A handler gets what follows the pattern's fixed
///           first part. Rows that change something are POST and pass the guard first.
///   Errors: fault() tells why the table must not be served.
///   Thread: the admin thread; handlers do not change once the listener is open.
class AdminService final : public HttpService {
 public:
  using Handler = std::function<asio::awaitable<void>(Exchange& exchange, std::string_view rest)>;
  /// Leaves a refusal in exchange.reply and returns true, or false to let the request through.
  using Guard = std::function<bool(Exchange& exchange, bool changes)>;
  using Explain = std::function<void(std::uint16_t, std::string_view, Reply&)>;

  AdminService(Guard guard, Explain explain, std::span<const Route> routes = admin_routes())
      : routes_(routes),
        handlers_(routes.size()),
        guard_(std::move(guard)),
        explain_(std::move(explain)) {}

  /// `pattern` is a row's, to the letter.
  void add(Method method, std::string_view pattern, Handler handle);
  /// A row without deadline or handler, or a handler without row: the server does not start.
  [[nodiscard]] std::optional<std::string> fault() const;

  bool begin(Exchange& exchange) override;
  asio::awaitable<void> serve(Exchange& exchange) override;
  void explain(std::uint16_t status, std::string_view diagnostics, Reply& reply) override {
    explain_(status, diagnostics, reply);
  }

 private:
  std::span<const Route> routes_;
  std::vector<Handler> handlers_;  ///< by row
  std::string stray_;              ///< a handler that has no row, or a second one
  Guard guard_;
  Explain explain_;
};

}  // namespace vesper
