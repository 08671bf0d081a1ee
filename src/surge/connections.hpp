#pragma once
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.hpp"
#include "surge/plan.hpp"
#include "surge/reply_reader.hpp"

namespace vesper::surge {

/// A fixed number of client connections, kept alive, opened when they are first needed.
///   Shape:  closed -take()-> busy -reply-> idle -take()-> busy; leave() closes from anywhere.
///   Bounds: Plan::connections; descriptors are raised to what that needs, or open() says so.
///   Thread: one owner; nothing blocks but wait().
class Connections {
 public:
  explicit Connections(const Plan& plan);
  ~Connections();
  Connections(const Connections&) = delete;
  Connections& operator=(const Connections&) = delete;

  /// Errors: one sentence: no such address, too few descriptors, or nobody answers there.
  [[nodiscard]] std::expected<void, std::string> open();

  /// Opens all of them, no faster than a small server accepts.
  void open_all();

  /// A connection for one try; nothing: all are busy.
  [[nodiscard]] std::optional<std::uint32_t> take();
  /// Sends a request, or what of it fits now; the rest goes when there is room.
  ///   Errors: false: the connection failed.
  [[nodiscard]] bool send(std::uint32_t index, std::string_view request);
  /// The client hangs up, as an app does that gives up on an answer.
  void leave(std::uint32_t index);
  /// Its answer was read: it may be taken again, or is closed when the server said so.
  void done(std::uint32_t index, bool closing);

  /// Ready connections; blocks until one is or time is up.
  [[nodiscard]] std::span<const epoll_event> wait(Duration at_most);
  enum class Got : std::uint8_t { nothing, reply, cut };
  /// Reads what came for a ready connection.
  [[nodiscard]] Got receive(const epoll_event& event, Reply& reply);
  [[nodiscard]] static std::uint32_t index_of(const epoll_event& event) { return event.data.u32; }

  [[nodiscard]] std::uint32_t open_now() const { return open_now_; }
  [[nodiscard]] std::uint32_t busy_now() const { return busy_now_; }
  [[nodiscard]] std::uint32_t used_max() const { return used_max_; }
  [[nodiscard]] std::uint64_t opened() const { return opened_; }

 private:
  enum class State : std::uint8_t { closed, idle, busy };
  struct Slot {
    int fd = -1;
    State state = State::closed;
    std::uint32_t turn = 0;  ///< which of its lives: idle entries of an earlier one are void
    std::string in, out;     ///< parts; mostly empty
  };
  struct Idle {
    std::uint32_t index = 0, turn = 0;
  };
  [[nodiscard]] bool connect(std::uint32_t index);
  void close(std::uint32_t index);
  [[nodiscard]] bool flush(Slot& slot);
  [[nodiscard]] Got understand(std::uint32_t index, std::string_view bytes, Reply& reply);

  const Plan& plan_;
  sockaddr_storage address_{};
  socklen_t address_bytes_ = 0;
  int poll_ = -1;
  std::vector<Slot> slots_;
  std::vector<Idle> idle_;
  std::vector<std::uint32_t> closed_;
  std::vector<epoll_event> events_;
  std::vector<char> read_;
  std::uint32_t open_now_ = 0, busy_now_ = 0, used_max_ = 0, next_source_ = 0;
  std::uint64_t opened_ = 0;
};

}  // namespace vesper::surge
