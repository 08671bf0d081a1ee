#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

namespace vesper::test {

/// One answer as it came over the wire.
struct RawResponse {
  int status = 0;
  std::string head;  ///< with its empty line
  std::string body;
  [[nodiscard]] std::string header(std::string_view lower_case_name) const;
};

/// Cuts a byte stream into answers; interim ones (1xx) are listed too.
///   Errors: text in `fault` when a byte is left over or an answer has no Content-Length.
struct RawResponses {
  std::vector<RawResponse> list;
  std::string fault;
  [[nodiscard]] std::vector<int> statuses() const;
};
/// `head_only[i]`: the i-th final answer belongs to a HEAD request.
[[nodiscard]] RawResponses split_responses(std::string_view stream,
                                           const std::vector<bool>& head_only = {});

/// A client that sends exactly the bytes it is told to.
///   Bounds: waits at most 20 s for anything, then the test fails by exception.
class RawClient {
 public:
  /// `pump`, when given, runs the server under test in this thread while the client waits.
  explicit RawClient(std::uint16_t port, std::function<void()> pump = {},
                     const std::string& address = "127.0.0.1");
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient();

  void send(std::string_view bytes);
  /// Sends without waiting; returns how many bytes the socket took.
  std::size_t try_send(std::string_view bytes);
  void finish_sending();
  /// Leaves with a reset, as a crashed client does.
  void reset();
  /// Takes what has arrived; false once the server has ended the connection.
  bool poll();
  /// Waits for the end of the connection and returns all that was received.
  const std::string& read_to_end();
  /// Waits until `count` final answers are there.
  RawResponses read(std::size_t count, const std::vector<bool>& head_only = {});

  [[nodiscard]] const std::string& received() const { return received_; }
  [[nodiscard]] bool ended() const { return ended_; }
  [[nodiscard]] bool was_reset() const { return was_reset_; }

 private:
  void wait(short events) const;
  int descriptor_ = -1;
  std::function<void()> pump_;
  std::string received_;
  bool ended_ = false, was_reset_ = false;
};

}  // namespace vesper::test
