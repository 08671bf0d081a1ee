#pragma once
#include <boost/asio/async_result.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include "io/http/connection_core.hpp"

namespace vesper {

/// A connection that waits: for its turn to be read, for bytes, for room to write.
///   Shape:  nothing -wait-> turn | reading | writing -resumed by the poller, the line or wake()->
///           nothing. Readiness is edge-triggered, so it is kept until a call says would_block.
///   Thread: the shard's.
class ConnectionWaits : public ConnectionCore {
 protected:
  enum class Wait : std::uint8_t { nothing, turn, reading, writing };
  using ConnectionCore::ConnectionCore;

  void on_events(std::uint32_t events, Instant now) override;
  void take_turn() override { resume(); }
  void abandon() override { waiting_.reset(); }

  /// Until the line says that this connection is to be read. False: woken to look at what is due.
  asio::awaitable<bool> turn();
  /// Until there are bytes, or room for some. False as above.
  asio::awaitable<bool> readable();
  asio::awaitable<bool> writable();
  /// Ends a wait early; false when there is none.
  bool interrupt();

  bool readable_ = false, writable_ = true;
  /// When the bytes came that an accepted socket holds already.
  [[nodiscard]] virtual Instant came_at(Instant now) const { return now; }

 private:
  using Handler = asio::async_result<asio::use_awaitable_t<>, void(bool)>::handler_type;
  asio::awaitable<bool> wait(Wait what);
  void resume();

  Wait wait_ = Wait::nothing;
  bool woken_ = false;
  bool first_ = true;  ///< nothing of it has been read yet
  std::optional<Handler> waiting_;
};

}  // namespace vesper
