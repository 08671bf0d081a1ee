#include "drill/standin/platform_server.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstring>
#include <exception>
#include <optional>

#include "io/clock/system_clock.hpp"

namespace vesper::standin {
namespace {

using asio::ip::tcp;

constexpr auto as_result = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t head_max = 64 * 1024, body_max = 64 * 1024 * 1024;

/// Takes a request's head apart; `length` is its body's. Lenient: this is no server.
bool read_head(std::string_view head, Request& request, std::size_t& length) {
  const auto line = head.substr(0, head.find("\r\n"));
  const auto first = line.find(' '), second = line.find(' ', first + 1);
  if (first == line.npos || second == line.npos) return false;
  request.method = line.substr(0, first);
  request.target = line.substr(first + 1, second - first - 1);
  request.headers.clear();
  head.remove_prefix(line.size() + 2);
  while (head.size() > 2) {
    const auto header = head.substr(0, head.find("\r\n"));
    head.remove_prefix(header.size() + 2);
    const auto colon = header.find(':');
    if (colon == header.npos) return false;
    auto& [name, value] = request.headers.emplace_back(std::string{header.substr(0, colon)},
                                                       header.substr(colon + 1));
    for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  }
  const auto text = request.header("content-length");
  length = 0;
  std::from_chars(text.data(), text.data() + text.size(), length);
  return length <= body_max;
}

/// Bytes of one connection, and the request at their front.
struct Inbox {
  std::string bytes = std::string(32 * 1024, '\0');
  std::size_t have = 0;

  /// True when a whole request stands at the front; `broken` when none ever will.
  bool whole(Request& request, std::size_t& size, bool& broken) {
    const auto end = std::string_view{bytes.data(), have}.find("\r\n\r\n");
    if (end == std::string_view::npos) {
      broken = have > head_max;
      return false;
    }
    std::size_t length = 0;
    broken = !read_head({bytes.data(), end + 4}, request, length);
    size = end + 4 + length;
    if (broken || have < size) return false;
    request.body = {bytes.data() + end + 4, length};
    return true;
  }
  void drop(std::size_t size) {
    have -= size;
    std::memmove(bytes.data(), bytes.data() + size, have);
  }
};

std::optional<tcp::endpoint> parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon == text.npos) return std::nullopt;
  const auto* end = text.data() + text.size();
  if (std::from_chars(text.data() + colon + 1, end, port).ptr != end) return std::nullopt;
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(text.substr(0, colon), failed);
  if (failed) return std::nullopt;
  return tcp::endpoint{address, port};
}

}  // namespace

PlatformServer::PlatformServer(asio::io_context& context, Platform& platform)
    : context_(context), platform_(platform) {}

std::expected<void, std::string> PlatformServer::open(const std::string& listen) {
  const auto wanted = parse_listen(listen);
  if (!wanted) return std::unexpected("an address and a port are needed, as 127.0.0.1:9090");
  auto acceptor = std::make_shared<tcp::acceptor>(context_);
  boost::system::error_code failed;
  acceptor->open(wanted->protocol(), failed);
  acceptor->set_option(tcp::acceptor::reuse_address{true}, failed);
  acceptor->bind(*wanted, failed);
  if (!failed) acceptor->listen(4096, failed);
  if (failed) return std::unexpected("cannot listen on " + listen + ": " + failed.message());
  endpoint_ = acceptor->local_endpoint();
  acceptor_ = std::move(acceptor);
  tasks_.spawn(context_.get_executor(), "accept", for_ever, accept(acceptor_));
  return {};
}

void PlatformServer::close() {
  boost::system::error_code ignored;
  if (acceptor_) acceptor_->close(ignored);
  acceptor_.reset();
  for (const Socket& socket : sockets_) socket->close(ignored);
}

asio::awaitable<void> PlatformServer::accept(std::shared_ptr<tcp::acceptor> acceptor) {
  for (;;) {
    auto [failed, socket] = co_await acceptor->async_accept(as_result);
    if (!acceptor->is_open()) co_return;
    if (failed) {  // out of descriptors: those that are open will end
      SystemClock clock;
      co_await clock.sleep_until(clock.now() + 10ms);
      continue;
    }
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
    const auto kept = std::make_shared<tcp::socket>(std::move(socket));
    sockets_.insert(kept);
    connections_peak_ = std::max(connections_peak_, sockets_.size());
    // It ends by its socket: close() closes them all, and what still runs ends with the loop.
    tasks_.spawn_then(context_.get_executor(), "session", for_ever, serve(kept),
                      [this, kept] { sockets_.erase(kept); });
  }
}

asio::awaitable<void> PlatformServer::serve(Socket socket) {
  Inbox inbox;
  Request request;
  for (;;) {
    std::size_t size = 0;
    bool broken = false;
    while (!inbox.whole(request, size, broken)) {
      if (broken) co_return;
      if (inbox.have == inbox.bytes.size() || size > inbox.bytes.size())
        inbox.bytes.resize(std::max(inbox.bytes.size() * 2, size));
      auto [failed, count] = co_await socket->async_read_some(
          asio::buffer(inbox.bytes.data() + inbox.have, inbox.bytes.size() - inbox.have),
          as_result);
      if (failed) co_return;
      inbox.have += count;
    }
    if (!co_await answer_one(socket, request)) co_return;
    inbox.drop(size);
  }
}

asio::awaitable<bool> PlatformServer::answer_one(const Socket& socket, const Request& request) {
  const Reaction reaction = platform_.serve(request);
  if (reaction.delay_ms > 0) {
    SystemClock clock;
    co_await clock.sleep_until(clock.now() + std::chrono::milliseconds{reaction.delay_ms});
  }
  if (reaction.then == Reaction::Then::close) co_return false;
  if (reaction.then == Reaction::Then::hang) {
    char ignored[256];
    for (;;)
      if (std::get<0>(co_await socket->async_read_some(asio::buffer(ignored), as_result)))
        co_return false;
  }
  if (std::get<0>(co_await asio::async_write(*socket, asio::buffer(reaction.text), as_result)))
    co_return false;
  co_return reaction.then != Reaction::Then::answer_and_close;
}

}  // namespace vesper::standin
