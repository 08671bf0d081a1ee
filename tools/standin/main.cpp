// vesper-standin: a fake data platform for development, tests and benchmarks. Not for production:
// it keeps nothing safe and checks no credentials.
#include <CLI/CLI.hpp>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <charconv>
#include <cstring>
#include <iostream>
#include <optional>

#include "platform.hpp"

namespace asio = boost::asio;
using asio::ip::tcp;

namespace standin {
namespace {

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

asio::awaitable<void> serve(tcp::socket socket, Platform& platform) {
  std::string buffer;
  buffer.resize(32 * 1024);
  std::size_t have = 0;
  Request request;
  for (;;) {
    std::size_t need = 0, length = 0, head = 0;
    while (need == 0 || have < need) {
      if (need == 0) {
        const auto end = std::string_view{buffer.data(), have}.find("\r\n\r\n");
        if (end != std::string_view::npos) {
          head = end + 4;
          if (!read_head({buffer.data(), head}, request, length)) co_return;
          need = head + length;
          if (need > buffer.size()) {
            buffer.resize(need);
            if (!read_head({buffer.data(), head}, request, length)) co_return;
          }
          continue;
        }
        if (have > head_max) co_return;
      }
      if (have == buffer.size()) buffer.resize(buffer.size() * 2);
      auto [failed, size] = co_await socket.async_read_some(
          asio::buffer(buffer.data() + have, buffer.size() - have), as_result);
      if (failed) co_return;
      have += size;
    }
    request.body = {buffer.data() + head, length};
    const Reaction reaction = platform.serve(request);
    if (reaction.delay_ms > 0) {
      asio::steady_timer timer{socket.get_executor(), std::chrono::milliseconds{reaction.delay_ms}};
      co_await timer.async_wait(as_result);
    }
    if (reaction.then == Reaction::Then::close) co_return;
    if (reaction.then == Reaction::Then::hang) {
      char ignored[256];
      for (;;)
        if (std::get<0>(co_await socket.async_read_some(asio::buffer(ignored), as_result)))
          co_return;
    }
    if (std::get<0>(co_await asio::async_write(socket, asio::buffer(reaction.text), as_result)))
      co_return;
    if (reaction.then == Reaction::Then::answer_and_close) co_return;
    have -= need;
    std::memmove(buffer.data(), buffer.data() + need, have);
  }
}

asio::awaitable<void> accept(tcp::acceptor& acceptor, Platform& platform) {
  for (;;) {
    auto [failed, socket] = co_await acceptor.async_accept(as_result);
    if (failed) co_return;
    boost::system::error_code ignored;
    socket.set_option(tcp::no_delay{true}, ignored);
    asio::co_spawn(acceptor.get_executor(), serve(std::move(socket), platform),
                   [](std::exception_ptr) {});
  }
}

std::optional<tcp::endpoint> parse_listen(const std::string& text) {
  const auto colon = text.rfind(':');
  std::uint16_t port = 0;
  if (colon == text.npos) return std::nullopt;
  const auto end = text.data() + text.size();
  if (std::from_chars(text.data() + colon + 1, end, port).ptr != end) return std::nullopt;
  boost::system::error_code failed;
  const auto address = asio::ip::make_address(text.substr(0, colon), failed);
  if (failed) return std::nullopt;
  return tcp::endpoint{address, port};
}

int run(const std::string& listen, Platform& platform) {
  const auto endpoint = parse_listen(listen);
  if (!endpoint) {
    std::cerr << "vesper-standin: --listen is an address and a port, as 127.0.0.1:9090\n";
    return 2;
  }
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  boost::system::error_code failed;
  acceptor.open(endpoint->protocol(), failed);
  acceptor.set_option(tcp::acceptor::reuse_address{true}, failed);
  acceptor.bind(*endpoint, failed);
  if (!failed) acceptor.listen(1024, failed);
  if (failed) {
    std::cerr << "vesper-standin: cannot listen on " << listen << ": " << failed.message()
              << " (choose another with --listen)\n";
    return 2;
  }
  asio::co_spawn(context, accept(acceptor, platform), [](std::exception_ptr) {});
  asio::signal_set signals{context, SIGTERM, SIGINT};
  signals.async_wait([&](boost::system::error_code, int) { context.stop(); });
  std::cout << "vesper-standin: a fake data platform, for development and tests only, on http://"
            << acceptor.local_endpoint() << std::endl;
  context.run();
  return 0;
}

}  // namespace
}  // namespace standin

int main(int argc, char** argv) {
  CLI::App app{
      "A fake data platform: takes POST /api/sync, applies each key once, keeps a ledger.\n"
      "GET /count and GET /ledger tell what came; POST /control makes it misbehave:\n"
      R"(  {"mode":"ok|status|hang|hang_after|cut_before|cut_after|cut_middle|html|)"
      R"(redirect|garbage|huge",)"
      "\n"
      R"(   "status":503,"probability":0.3,"next":10,"delay_ms":100,"retry_after":"2",)"
      R"("receipt":true,"seed":1})"};
  std::string listen = "127.0.0.1:9090", control;
  standin::Platform::Options options;
  app.add_option("--listen", listen, "address and port; port 0 takes a free one")
      ->capture_default_str();
  app.add_option("--ledger", options.ledger_file, "file of JSON lines, appended to");
  app.add_option("--seed", options.seed, "of the random choices")->capture_default_str();
  app.add_option("--control", control, "JSON, as for POST /control");
  app.add_flag("--quiet-count", options.quiet_count,
               "for benchmarks: count and deduplicate, look at nothing, keep no ledger");
  CLI11_PARSE(app, argc, argv);
  standin::Platform platform{options, {}};
  if (!control.empty()) {
    standin::Request request{
        .method = "POST", .target = "/control", .body = control, .headers = {}};
    const auto reaction = platform.serve(request);
    if (!reaction.text.starts_with("HTTP/1.1 200")) {
      std::cerr << "vesper-standin: --control: "
                << reaction.text.substr(reaction.text.find("\r\n\r\n") + 4) << "\n";
      return 2;
    }
  }
  return standin::run(listen, platform);
}
