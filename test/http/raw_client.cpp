#include "http/raw_client.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <stdexcept>
#include <utility>

namespace vesper::test {
namespace {

constexpr auto patience = std::chrono::seconds{20};

/// Calls `step` until it returns true.
template <class Step>
void until(Step step, const char* what) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!step())
    if (std::chrono::steady_clock::now() > end) throw std::runtime_error{what};
}

std::string lower(std::string_view text) {
  std::string out{text};
  std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
  return out;
}

}  // namespace

std::string RawResponse::header(std::string_view name) const {
  const std::string all = lower(head);
  const auto at = all.find("\r\n" + std::string{name} + ":");
  if (at == all.npos) return {};
  const auto from = all.find_first_not_of(' ', at + 3 + name.size());
  return head.substr(from, all.find("\r\n", from) - from);
}

std::vector<int> RawResponses::statuses() const {
  std::vector<int> out;
  for (const auto& response : list) out.push_back(response.status);
  return out;
}

RawResponses split_responses(std::string_view stream, const std::vector<bool>& head_only) {
  RawResponses out;
  std::size_t final_answers = 0;
  while (!stream.empty()) {
    const auto end = stream.find("\r\n\r\n");
    if (!stream.starts_with("HTTP/1.1 ") || end == stream.npos || stream.size() < 13) {
      out.fault = "not an answer: " + std::string{stream.substr(0, 80)};
      return out;
    }
    RawResponse response;
    std::from_chars(stream.data() + 9, stream.data() + 12, response.status);
    response.head = stream.substr(0, end + 4);
    stream.remove_prefix(end + 4);
    if (response.status >= 200) {
      const bool bodiless = final_answers < head_only.size() && head_only[final_answers];
      ++final_answers;
      const auto length = response.header("content-length");
      const bool none_due = response.status == 204 || response.status == 304;
      if (length.empty() != none_due) out.fault = "Content-Length is wrong on " + response.head;
      const auto bytes = bodiless || none_due || length.empty() ? 0 : std::stoull(length);
      if (stream.size() < bytes) out.fault = "an answer is cut off";
      response.body = stream.substr(0, bytes);
      stream.remove_prefix(std::min<std::size_t>(bytes, stream.size()));
    }
    out.list.push_back(std::move(response));
  }
  return out;
}

RawClient::RawClient(std::uint16_t port, std::function<void()> pump, const std::string& address)
    : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)), pump_(std::move(pump)) {
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(port);
  if (::inet_pton(AF_INET, address.c_str(), &to.sin_addr) != 1 ||
      ::connect(descriptor_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error{"cannot connect to the server under test"};
  const int one = 1;
  ::setsockopt(descriptor_, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  ::fcntl(descriptor_, F_SETFL, O_NONBLOCK);
  if (pump_) pump_();
}

RawClient::~RawClient() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void RawClient::wait(short events) const {
  if (pump_) return pump_();
  pollfd one{.fd = descriptor_, .events = events, .revents = 0};
  ::poll(&one, 1, 100);
}

std::size_t RawClient::try_send(std::string_view bytes) {
  const auto sent = ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  if (pump_) pump_();
  // A server may end the connection while the client still sends: what it said counts, not this.
  if (sent < 0 && errno != EAGAIN) return bytes.size();
  return sent < 0 ? 0 : static_cast<std::size_t>(sent);
}

void RawClient::send(std::string_view bytes) {
  until(
      [&] {
        bytes.remove_prefix(try_send(bytes));
        if (!bytes.empty()) {
          poll();
          wait(POLLOUT);
        }
        return bytes.empty();
      },
      "the server does not take the bytes");
}

void RawClient::finish_sending() {
  ::shutdown(descriptor_, SHUT_WR);
  if (pump_) pump_();
}

void RawClient::reset() {
  const linger now{.l_onoff = 1, .l_linger = 0};
  ::setsockopt(descriptor_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  ::close(std::exchange(descriptor_, -1));
  if (pump_) pump_();
}

bool RawClient::poll() {
  char bytes[16 * 1024];
  while (!ended_) {
    const auto size = ::recv(descriptor_, bytes, sizeof bytes, 0);
    if (size > 0) {
      received_.append(bytes, static_cast<std::size_t>(size));
    } else if (size < 0 && errno == EAGAIN) {
      break;
    } else {
      ended_ = true;
      was_reset_ = size < 0;
    }
  }
  return !ended_;
}

const std::string& RawClient::read_to_end() {
  until(
      [&] {
        if (poll()) wait(POLLIN);
        return ended_;
      },
      "the server does not end the connection");
  return received_;
}

RawResponses RawClient::read(std::size_t count, const std::vector<bool>& head_only) {
  RawResponses responses;
  until(
      [&] {
        if (poll()) wait(POLLIN);
        responses = split_responses(received_, head_only);
        const auto finals = std::ranges::count_if(
            responses.list, [](const RawResponse& one) { return one.status >= 200; });
        return ended_ || (responses.fault.empty() && static_cast<std::size_t>(finals) >= count);
      },
      "the answers do not come");
  return responses;
}

}  // namespace vesper::test
