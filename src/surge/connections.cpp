#include "surge/connections.hpp"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace vesper::surge {
namespace {

constexpr std::size_t read_bytes = 64u << 10, events_max = 128;

// Descriptors besides the connections: standard streams, epoll, ledger, /proc.
constexpr rlim_t other_descriptors = 32;

std::expected<void, std::string> raise_descriptors(std::uint32_t connections) {
  rlimit limit{};
  getrlimit(RLIMIT_NOFILE, &limit);
  const rlim_t wanted = connections + other_descriptors;
  if (limit.rlim_cur >= wanted) return {};
  limit.rlim_cur = std::min(wanted, limit.rlim_max);
  if (limit.rlim_cur < wanted || setrlimit(RLIMIT_NOFILE, &limit) != 0)
    return std::unexpected(
        fmt::format("{} connections need {} descriptors, and the hard limit is {}", connections,
                    wanted, limit.rlim_max));
  return {};
}

}  // namespace

Connections::Connections(const Plan& plan)
    : plan_(plan), slots_(plan.connections), events_(events_max), read_(read_bytes) {
  closed_.reserve(plan.connections);
  for (std::uint32_t i = plan.connections; i-- > 0;) closed_.push_back(i);
}

Connections::~Connections() {
  for (std::uint32_t i = 0; i < slots_.size(); ++i) close(i);
  if (poll_ >= 0) ::close(poll_);
}

std::expected<void, std::string> Connections::open() {
  if (auto raised = raise_descriptors(plan_.connections); !raised) return raised;
  sockaddr_in v4{};
  sockaddr_in6 v6{};
  if (inet_pton(AF_INET, plan_.address.c_str(), &v4.sin_addr) == 1) {
    v4.sin_family = AF_INET;
    v4.sin_port = htons(plan_.port);
    std::memcpy(&address_, &v4, address_bytes_ = sizeof v4);
  } else if (inet_pton(AF_INET6, plan_.address.c_str(), &v6.sin6_addr) == 1) {
    v6.sin6_family = AF_INET6;
    v6.sin6_port = htons(plan_.port);
    std::memcpy(&address_, &v6, address_bytes_ = sizeof v6);
  } else {
    return std::unexpected(fmt::format("{}: is not an IP address", plan_.address));
  }
  poll_ = epoll_create1(EPOLL_CLOEXEC);
  const int probe = ::socket(address_.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool answered = probe >= 0 && ::connect(probe, reinterpret_cast<const sockaddr*>(&address_),
                                                address_bytes_) == 0;
  const int fault = errno;
  if (probe >= 0) ::close(probe);
  if (answered) return {};
  return std::unexpected(
      fmt::format("{} port {}: {}", plan_.address, plan_.port, std::strerror(fault)));
}

bool Connections::connect(std::uint32_t index) {
  Slot& slot = slots_[index];
  slot.fd = ::socket(address_.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (slot.fd < 0) return false;
  const int one = 1;
  setsockopt(slot.fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  if (plan_.addresses > 1 && address_.ss_family == AF_INET) {
    setsockopt(slot.fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &one, sizeof one);
    sockaddr_in source{};
    source.sin_family = AF_INET;
    source.sin_addr.s_addr = htonl(INADDR_LOOPBACK + next_source_++ % plan_.addresses);
    // Without it the connection comes from the usual address: less spread, no wrong result.
    [[maybe_unused]] const int bound =
        ::bind(slot.fd, reinterpret_cast<const sockaddr*>(&source), sizeof source);
  }
  ++open_now_;
  ++opened_;
  if (::connect(slot.fd, reinterpret_cast<const sockaddr*>(&address_), address_bytes_) != 0 &&
      errno != EINPROGRESS)
    return false;
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u32 = index;
  return epoll_ctl(poll_, EPOLL_CTL_ADD, slot.fd, &event) == 0;
}

void Connections::open_all() {
  constexpr std::uint32_t at_once = 48;
  constexpr int rest_ms = 10;
  for (std::uint32_t i = 0; !closed_.empty(); ++i) {
    // Not wait(): it returns as soon as one is open, and the rest would wait in the server's
    // backlog.
    if (i % at_once == at_once - 1) (void)::poll(nullptr, 0, rest_ms);
    const std::uint32_t index = closed_.back();
    closed_.pop_back();
    (void)connect(index);
    slots_[index].state = State::idle;
    idle_.push_back({index, slots_[index].turn});
  }
}

std::optional<std::uint32_t> Connections::take() {
  std::optional<std::uint32_t> index;
  while (!idle_.empty() && !index) {
    const Idle last = idle_.back();
    idle_.pop_back();
    const Slot& slot = slots_[last.index];
    if (slot.state == State::idle && slot.turn == last.turn) index = last.index;
  }
  if (!index) {
    if (closed_.empty()) return std::nullopt;
    index = closed_.back();
    closed_.pop_back();
    // A connection that fails at once is known when it is written to.
    (void)connect(*index);
  }
  Slot& slot = slots_[*index];
  slot.state = State::busy;
  used_max_ = std::max(used_max_, ++busy_now_);
  return index;
}

bool Connections::flush(Slot& slot) {
  while (!slot.out.empty()) {
    const ssize_t n = ::send(slot.fd, slot.out.data(), slot.out.size(), MSG_NOSIGNAL);
    if (n < 0) return errno == EAGAIN || errno == ENOTCONN;
    slot.out.erase(0, static_cast<std::size_t>(n));
  }
  return true;
}

bool Connections::send(std::uint32_t index, std::string_view request) {
  Slot& slot = slots_[index];
  if (slot.fd < 0) return false;
  const ssize_t n = ::send(slot.fd, request.data(), request.size(), MSG_NOSIGNAL);
  if (n == static_cast<ssize_t>(request.size())) return true;
  if (n < 0 && errno != EAGAIN && errno != ENOTCONN) return false;
  slot.out.assign(request.substr(n < 0 ? 0 : static_cast<std::size_t>(n)));
  return true;
}

void Connections::close(std::uint32_t index) {
  Slot& slot = slots_[index];
  if (slot.fd >= 0) {
    ::close(slot.fd);
    --open_now_;
  }
  if (slot.state == State::busy) --busy_now_;
  slot.fd = -1;
  slot.state = State::closed;
  ++slot.turn;
  slot.in.clear();
  slot.out.clear();
}

void Connections::leave(std::uint32_t index) {
  close(index);
  closed_.push_back(index);
}

void Connections::done(std::uint32_t index, bool closing) {
  if (closing) return leave(index);
  Slot& slot = slots_[index];
  slot.state = State::idle;
  slot.in.clear();
  ++slot.turn;
  --busy_now_;
  idle_.push_back({index, slot.turn});
}

std::span<const epoll_event> Connections::wait(Duration at_most) {
  const auto ns = std::max<std::int64_t>(at_most.count(), 0);
  const timespec timeout{ns / 1'000'000'000, ns % 1'000'000'000};
  const int n =
      epoll_pwait2(poll_, events_.data(), static_cast<int>(events_.size()), &timeout, nullptr);
  return std::span<const epoll_event>{events_}.first(static_cast<std::size_t>(std::max(n, 0)));
}

Connections::Got Connections::receive(const epoll_event& event, Reply& reply) {
  const std::uint32_t index = index_of(event);
  Slot& slot = slots_[index];
  if (slot.fd < 0) return Got::nothing;
  if (!slot.out.empty() && !flush(slot)) return Got::cut;
  if ((event.events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR)) == 0) return Got::nothing;
  // Edge-triggered: read until nothing is left, or the answer is whole.
  for (;;) {
    const ssize_t n = ::recv(slot.fd, read_.data(), read_.size(), 0);
    if (n < 0 && errno == EAGAIN) return Got::nothing;
    if (n <= 0) {
      if (slot.state == State::busy) return Got::cut;
      leave(index);  // the server ended an idle connection, as it may
      return Got::nothing;
    }
    const Got got = understand(index, {read_.data(), static_cast<std::size_t>(n)}, reply);
    if ((event.events & EPOLLRDHUP) != 0) reply.closing = true;
    if (got != Got::nothing) return got;
  }
}

Connections::Got Connections::understand(std::uint32_t index, std::string_view bytes,
                                         Reply& reply) {
  Slot& slot = slots_[index];
  if (slot.state != State::busy) return Got::cut;
  if (!slot.in.empty()) bytes = slot.in.append(bytes);
  switch (read_reply(bytes, reply)) {
    case ReadState::complete:
      return bytes.size() == reply.bytes ? Got::reply : Got::cut;
    case ReadState::not_http:
      return Got::cut;
    case ReadState::incomplete:
      if (slot.in.empty()) slot.in.assign(bytes);
      return Got::nothing;
  }
  return Got::cut;
}

}  // namespace vesper::surge
