#pragma once
#include <array>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/deferred.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "io/https_client/response_parser.hpp"
#include "io/https_client/wire_fault.hpp"
#include "io/https_client/wire_poller.hpp"

namespace vesper {

/// A connected plain socket, for one request after the other.
///   Shape:  begin(), then advance() after each ready() until it is true; then fault(). What the
///           kernel does not take of a request at once is kept here: what begin() was given need
///           not outlive it.
///   Thread: its executor's only. No function throws.
class PlainWire final : WirePoller::Watched {
 public:
  /// Takes `fd`, which must not block.
  PlainWire(int fd, std::shared_ptr<WirePoller> poller);
  ~PlainWire() { close(); }
  PlainWire(const PlainWire&) = delete;
  PlainWire& operator=(const PlainWire&) = delete;

  void begin(std::string_view head, std::string_view body, ResponseParser& parser);
  /// True when the exchange has ended, well or not.
  [[nodiscard]] bool advance();
  /// To be awaited: until advance() has something to do, or the wait is cancelled.
  auto ready() {
    return asio::async_initiate<const asio::deferred_t&, void()>(
        [](auto handler, PlainWire* wire) { wire->wait(std::move(handler)); }, asio::deferred,
        this);
  }
  /// From outside: the deadline has passed.
  void expire();

  [[nodiscard]] WireFault fault() const { return fault_; }
  /// The server had closed it while it was idle: nothing of the request was answered.
  [[nodiscard]] bool was_stale() const { return stale_; }
  [[nodiscard]] bool reusable() const { return reusable_; }

 private:
  void on_events(std::uint32_t events) override;
  void on_stop() override { cancel(); }
  template <class Handler>
  void wait(Handler handler) {
    if (auto slot = asio::get_associated_cancellation_slot(handler); slot.is_connected())
      slot.assign([this](asio::cancellation_type) { cancel(); });
    waiting_ = std::move(handler);
    if (ended_) resume_later();
  }
  void send(std::string_view head, std::string_view body);
  void send_rest();
  void receive();
  void end(WireFault fault);
  void cancel();
  void resume_later();
  void close();

  int fd_;
  std::shared_ptr<WirePoller> poller_;
  ResponseParser* parser_ = nullptr;
  std::move_only_function<void()> waiting_;
  std::string rest_;  ///< of the request
  bool readable_ = false, writable_ = false, hung_up_ = false, ended_ = false;
  bool write_failed_ = false, used_ = false, stale_ = false, reusable_ = false;
  WireFault fault_ = WireFault::none;
};

}  // namespace vesper
