// vesper-standin: a fake data platform for development, tests and benchmarks. Not for production:
// it keeps nothing safe and checks no credentials.
#include <CLI/CLI.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <iostream>

#include "drill/standin/platform_server.hpp"

namespace asio = boost::asio;
namespace standin = vesper::standin;

namespace {

int run(const std::string& listen, standin::Platform& platform) {
  asio::io_context context{1};
  standin::PlatformServer server{context, platform};
  if (const auto open = server.open(listen); !open) {
    std::cerr << "vesper-standin: --listen: " << open.error() << "\n";
    return 2;
  }
  asio::signal_set signals{context, SIGTERM, SIGINT};
  signals.async_wait([&](boost::system::error_code, int) { context.stop(); });
  std::cout << "vesper-standin: a fake data platform, for development and tests only, on http://"
            << server.endpoint() << std::endl;
  context.run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{
      "A fake data platform: takes POST /api/sync, applies each key once, keeps a ledger.\n"
      "GET /count and GET /ledger tell what came; POST /control makes it misbehave:\n"
      R"(  {"mode":"ok|status|hang|hang_after|cut_before|cut_after|cut_middle|html|)"
      R"(redirect|garbage|huge|lie|twice",)"
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
  return run(listen, platform);
}
