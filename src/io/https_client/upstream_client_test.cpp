#include "io/https_client/upstream_client.hpp"

#include <gtest/gtest.h>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <fstream>

#include "io/clock/system_clock.hpp"
#include "io/https_client/connection.hpp"
#include "io/https_client/loopback_for_tests.hpp"

namespace vesper {
namespace {

using Server = LoopbackServer;
using Trouble = UpstreamReply::Trouble;

const Uuid key = *parse_uuid("019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b");

class UpstreamClientTest : public ::testing::Test {
 protected:
  Server& serve(Server::Serve rule) {
    server.emplace(context, std::move(rule));
    settings.url = server->url();
    return *server;
  }
  /// Answers every request of every connection with `text`.
  Server& serve_text(std::string text) {
    return serve([text, this](Server::Socket& socket, int) -> asio::awaitable<void> {
      for (;;) {
        const auto request = co_await Server::request(socket);
        if (request.empty()) co_return;
        requests.push_back(request);
        co_await Server::send(socket, text);
      }
    });
  }
  UpstreamReply post(std::string_view bundle = "{\"resourceType\":\"Bundle\"}",
                     Duration deadline = 5s) {
    if (!client)
      client =
          std::make_unique<UpstreamClient>(context.get_executor(), clock, std::vector{settings});
    UpstreamRequest request{.destination = "main",
                            .delivery_id = key,
                            .content_hash = Hash{0xAB},
                            .bundle = bundle,
                            .traceparent = "00-aa-bb-01"};
    const Deadline until{clock.now() + deadline};
    auto reply = run_to_end(context, client->post(request, until));
    stale += reply.trouble == Trouble::stale;
    request.fresh = true;
    if (reply.trouble == Trouble::stale) reply = run_to_end(context, client->post(request, until));
    return reply;
  }
  static UpstreamRequest plain_request() {
    return {.destination = "main",
            .delivery_id = key,
            .content_hash = {},
            .bundle = "{}",
            .traceparent = {}};
  }
  std::string file(const std::string& name, const std::string& text) {
    const std::string path =
        ::testing::TempDir() + "vesper_" + std::to_string(::getpid()) + "_" + name;
    std::ofstream{path, std::ios::trunc} << text;
    files.push_back(path);
    return path;
  }
  void SetUp() override { settings.name = "main"; }
  void TearDown() override {
    client.reset();
    for (const auto& path : files) std::remove(path.c_str());
  }

  asio::io_context context{1};
  SystemClock clock;
  std::optional<Server> server;
  UpstreamSettings settings;
  std::unique_ptr<UpstreamClient> client;
  std::vector<std::string> requests, files;
  int stale = 0;
};

TEST_F(UpstreamClientTest, SendsWhatTheContractSays) {
  serve_text(Server::reply(201,
                           "Content-Type: application/json\r\nETag: \"1\"\r\nX: y\r\n"
                           "Idempotency-Key: \"k\"\r\nVesper-Content-Hash: h\r\n",
                           "{}"));
  const auto reply = post();
  ASSERT_EQ(requests.size(), 1u);
  const auto& r = requests[0];
  EXPECT_TRUE(
      r.starts_with("POST /api/sync HTTP/1.1\r\nHost: 127.0.0.1:" + server->port() + "\r\n"));
  for (const char* line :
       {"Content-Type: application/fhir+json\r\n", "Content-Length: 25\r\n",
        "Idempotency-Key: \"019aaf0e-7c1e-7b52-a3b0-1d2c3e4f5a6b\"\r\n",
        "Vesper-Content-Hash: "
        "sha256:ab00000000000000000000000000000000000000000000000000000000000000\r\n",
        "traceparent: 00-aa-bb-01\r\n"})
    EXPECT_NE(r.find(line), r.npos) << line << r;
  EXPECT_EQ(r.find("Authorization"), r.npos);
  EXPECT_EQ(r.find("Content-Encoding"), r.npos);
  EXPECT_TRUE(r.ends_with("\r\n\r\n{\"resourceType\":\"Bundle\"}"));
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(reply.trouble, Trouble::none);
  EXPECT_EQ(reply.content_type, "application/json");
  EXPECT_EQ(reply.idempotency_key, "\"k\"");
  EXPECT_EQ(reply.content_hash, "h");
  EXPECT_NE(reply.evidence_headers.find("ETag: \"1\"\r\n"), std::string::npos);
  EXPECT_EQ(reply.evidence_headers.find("X: y"), std::string::npos);
  EXPECT_EQ(reply.body_digest[0], 0x44);  // sha256("{}") begins 44136fa3
}

TEST_F(UpstreamClientTest, KeepsConnections) {
  serve_text(Server::reply(200));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(post().status, 200);
  EXPECT_EQ(server->connections(), 1);
}

// While one try goes through the addresses of a name, another that failed makes the pool look them
// up anew.
TEST_F(UpstreamClientTest, AConnectionOutlivesTheListOfAddressesItWasGiven) {
  serve_text(Server::reply(200));
  Server gone{context, {}};
  std::vector<asio::ip::tcp::endpoint> addresses;
  for (const auto& port : {gone.port(), server->port()})
    addresses.emplace_back(asio::ip::make_address("127.0.0.1"), std::stoi(port));
  gone.close();
  const auto url = parse_url(server->url());
  ClientConnection connection{context.get_executor()};
  const auto attempt = [&]() -> asio::awaitable<WireFault> {
    auto connecting = connection.connect(*url, addresses, {});
    asio::post(context, [&] { std::exchange(addresses, {}); });
    co_return co_await std::move(connecting);
  };
  EXPECT_EQ(run_to_end(context, attempt()), WireFault::none);
  EXPECT_TRUE(addresses.empty());
}

TEST_F(UpstreamClientTest, GoesOnWithANewConnectionWhenTheKeptOneWasClosed) {
  serve([](Server::Socket& socket, int) -> asio::awaitable<void> {
    co_await Server::request(socket);
    co_await Server::send(socket, Server::reply(200));
  });
  for (int i = 0; i < 4; ++i) EXPECT_EQ(post().status, 200);
  EXPECT_EQ(server->connections(), 4);
  EXPECT_EQ(stale, 3);
}

// Two tries of equal bundles in one place: the second is written there while the first, of which
// the kernel has not yet taken all, waits.
TEST_F(UpstreamClientTest, ABundleIsTheClientsOwnOnceItWaits) {
  std::vector<std::size_t> whole;
  serve([&](Server::Socket& socket, int) -> asio::awaitable<void> {
    for (;;) {
      const auto request = co_await Server::request(socket);
      if (request.empty()) co_return;
      const auto body = std::string_view{request}.substr(request.find("\r\n\r\n") + 4);
      whole.push_back(std::min(body.find_first_not_of(body.front()), body.size()));
      co_await Server::send(socket, Server::reply(200));
    }
  });
  EXPECT_EQ(post().status, 200);  // so that one of the tries finds a kept connection
  constexpr std::size_t size = 6'000'000;
  std::string place;
  int done = 0;
  for (const char letter : {'a', 'b', 'c'})
    asio::co_spawn(
        context,
        [&, letter]() -> asio::awaitable<UpstreamReply> {
          place.assign(size, letter);
          auto request = plain_request();
          request.bundle = place;
          co_return co_await client->post(request, Deadline{clock.now() + 5s});
        },
        [&](std::exception_ptr, UpstreamReply reply) { done += reply.status == 200; });
  while (done < 3) ASSERT_GT(context.run_one(), 0u);
  ASSERT_EQ(whole.size(), 4u);
  for (std::size_t i = 1; i < whole.size(); ++i) EXPECT_GE(whole[i], size);
}

TEST_F(UpstreamClientTest, DoesNotUseAConnectionThatSpokeWhileItWasIdle) {
  serve([](Server::Socket& socket, int nth) -> asio::awaitable<void> {
    while (!(co_await Server::request(socket)).empty()) {
      co_await Server::send(socket, Server::reply(200));
      if (nth == 1) co_await Server::send(socket, Server::reply(500));
    }
  });
  EXPECT_EQ(post().status, 200);
  for (int i = 0; i < 20; ++i) context.poll_one();
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(server->connections(), 2);
}

TEST_F(UpstreamClientTest, ACancelledTryEndsAndItsConnectionIsClosed) {
  bool closed = false;
  serve([&](Server::Socket& socket, int nth) -> asio::awaitable<void> {
    co_await Server::request(socket);
    if (nth == 1) co_await Server::send(socket, Server::reply(200));
    closed = (co_await Server::request(socket)).empty();
    co_await Server::send(socket, Server::reply(200));
  });
  EXPECT_EQ(post().status, 200);
  asio::cancellation_signal cut;
  std::optional<Trouble> trouble;
  const auto request = plain_request();
  asio::co_spawn(
      context, client->post(request, Deadline{clock.now() + 5s}),
      asio::bind_cancellation_slot(
          cut.slot(), [&](std::exception_ptr, UpstreamReply reply) { trouble = reply.trouble; }));
  for (int i = 0; i < 3; ++i) context.run_one();
  ASSERT_FALSE(trouble);
  cut.emit(asio::cancellation_type::terminal);
  while (!trouble) ASSERT_GT(context.run_one(), 0u);
  EXPECT_EQ(*trouble, Trouble::cut);
}

// As when the loop has ended: what waits is destroyed with it. The leak sanitizer looks.
TEST_F(UpstreamClientTest, MayBeDestroyedWithTriesInFlight) {
  serve([](Server::Socket& socket, int nth) -> asio::awaitable<void> {
    while (!(co_await Server::request(socket)).empty() && nth == 1)
      co_await Server::send(socket, Server::reply(200));
    co_await Server::request(socket);
  });
  EXPECT_EQ(post().status, 200);
  const auto request = plain_request();
  for (int i = 0; i < 3; ++i)
    asio::co_spawn(context, client->post(request, Deadline{clock.now() + 5s}),
                   [](std::exception_ptr, UpstreamReply) {});
  for (int i = 0; i < 3; ++i) context.run_one();
  client.reset();
}

TEST_F(UpstreamClientTest, DoesNotReuseAConnectionThatSaidMoreThanItShould) {
  serve_text(Server::reply(200) + "HTTP/1.1 500 X\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(server->connections(), 2);
}

TEST_F(UpstreamClientTest, ReadsChunksAndHonoursClose) {
  serve_text(
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n"
      "2\r\n{}\r\n0\r\n\r\n");
  EXPECT_EQ(post().body, "{}");
  EXPECT_EQ(post().body, "{}");
  EXPECT_EQ(server->connections(), 2);
}

TEST_F(UpstreamClientTest, ASilentServerIsATimeOutAtTheDeadline) {
  bool released = false;
  serve([&](Server::Socket& socket, int) -> asio::awaitable<void> {
    co_await Server::request(socket);
    released = (co_await Server::request(socket)).empty();  // until the client closes
  });
  const auto reply = post("{}", 100ms);
  EXPECT_EQ(reply.status, 0);
  EXPECT_EQ(reply.trouble, Trouble::timed_out);
  while (!released) context.run_one();
}

TEST_F(UpstreamClientTest, ADripOfBytesDoesNotOutliveTheDeadline) {
  serve([&](Server::Socket& socket, int) -> asio::awaitable<void> {
    co_await Server::request(socket);
    co_await Server::send(socket, "HTTP/1.1 200 OK\r\n");
    asio::steady_timer pause{context};
    do {
      pause.expires_after(std::chrono::milliseconds{5});
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
    } while (co_await Server::send(socket, "A: b\r\n"));
  });
  EXPECT_EQ(post("{}", 150ms).trouble, Trouble::timed_out);
}

TEST_F(UpstreamClientTest, NamesWhatWentWrong) {
  const auto trouble = [&](std::string text) {
    client.reset();
    serve([text](Server::Socket& socket, int) -> asio::awaitable<void> {
      co_await Server::request(socket);
      co_await Server::send(socket, text);
    });
    const auto reply = post();
    EXPECT_EQ(reply.status, 0);
    return reply.trouble;
  };
  EXPECT_EQ(trouble(""), Trouble::cut);
  EXPECT_EQ(trouble("HTTP/1.1 200 OK\r\nContent-Le"), Trouble::cut);
  EXPECT_EQ(trouble("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n{}"), Trouble::cut);
  EXPECT_EQ(trouble("SSH-2.0-OpenSSH\r\n\r\n"), Trouble::not_http);
  EXPECT_EQ(trouble("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nxx"),
            Trouble::not_http);
  EXPECT_EQ(trouble(std::string(20'000, 'x')), Trouble::not_http);
  client.reset();
  server->close();
  EXPECT_EQ(post().trouble, Trouble::refused);
}

TEST_F(UpstreamClientTest, KeepsABoundedPartOfAHugeReply) {
  serve_text(Server::reply(200, "", std::string(300'000, 'x')));
  auto reply = post();
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body.size(), 64u * 1024);
  EXPECT_EQ(reply.trouble, Trouble::too_large);
  client.reset();
  serve([](Server::Socket& socket, int) -> asio::awaitable<void> {
    co_await Server::request(socket);
    std::string text = "HTTP/1.1 200 OK\r\n\r\n";
    do text.assign(text.size() < 1000 ? text + std::string(64'000, 'x') : text);
    while (co_await Server::send(socket, text));
  });
  reply = post();
  EXPECT_EQ(reply.body.size(), 64u * 1024);
  EXPECT_EQ(reply.trouble, Trouble::too_large);
}

TEST_F(UpstreamClientTest, FollowsNoRedirect) {
  serve_text(Server::reply(307, "Location: http://127.0.0.1:1/\r\n"));
  EXPECT_EQ(post().status, 307);
  EXPECT_EQ(requests.size(), 1u);
}

TEST_F(UpstreamClientTest, HearsAnEarlyRefusalOfALargeBundle) {
  serve([](Server::Socket& socket, int) -> asio::awaitable<void> {
    std::string head;
    co_await asio::async_read_until(socket, asio::dynamic_buffer(head, 65'536), "\r\n\r\n",
                                    asio::as_tuple(asio::use_awaitable));
    co_await Server::send(socket, Server::reply(413, "Connection: close\r\n"));
    socket.shutdown(Server::Socket::shutdown_send);
    for (char bytes[4096];;) {
      auto [failed, size] =
          co_await socket.async_read_some(asio::buffer(bytes), asio::as_tuple(asio::use_awaitable));
      if (failed) co_return;
    }
  });
  EXPECT_EQ(post(std::string(8'000'000, ' ')).status, 413);
}

TEST_F(UpstreamClientTest, RefusesPlainHttpOffLoopback) {
  settings.url = "http://192.0.2.1:9";
  EXPECT_NE(fault_of(settings), "");
  EXPECT_EQ(post("{}", 2s).trouble, Trouble::refused);
  settings.allow_plain_http = true;
  EXPECT_EQ(fault_of(settings), "");
  settings = {};
  for (const char* url : {"", "x", "http://127.0.0.1/?a", "https://"}) {
    settings.url = url;
    EXPECT_NE(fault_of(settings), "") << url;
  }
  settings.url = "http://localhost:8080/base";
  EXPECT_EQ(fault_of(settings), "");
  settings.certificate_file = "x";
  EXPECT_NE(fault_of(settings), "");
}

TEST_F(UpstreamClientTest, SendsTheBearerOfTheFileAndANewOneAfterA401) {
  settings.bearer_file = file("bearer", "first\n");
  serve([&](Server::Socket& socket, int) -> asio::awaitable<void> {
    for (;;) {
      const auto request = co_await Server::request(socket);
      if (request.empty()) co_return;
      const bool good = request.find("Authorization: Bearer second\r\n") != request.npos;
      co_await Server::send(socket, Server::reply(good ? 200 : 401));
    }
  });
  EXPECT_EQ(post().status, 401);
  file("bearer", "second");
  EXPECT_EQ(post().status, 200);
}

TEST_F(UpstreamClientTest, WithoutABearerNothingIsSent) {
  settings.bearer_file = file("bad", "two words");
  serve_text(Server::reply(200));
  EXPECT_EQ(post().trouble, Trouble::credentials);
  settings.bearer_file = "/nonexistent/bearer";
  client.reset();
  EXPECT_EQ(post().trouble, Trouble::credentials);
  EXPECT_TRUE(requests.empty());
}

class OAuthTest : public UpstreamClientTest {
 protected:
  void SetUp() override {
    UpstreamClientTest::SetUp();
    endpoint.emplace(context, [this](Server::Socket& socket, int) -> asio::awaitable<void> {
      token_requests.push_back(co_await Server::request(socket));
      const auto n = std::to_string(token_requests.size());
      co_await Server::send(socket,
                            token_reply.empty()
                                ? Server::reply(200, "",
                                                R"({"access_token":"t)" + n +
                                                    R"(","token_type":"Bearer","expires_in":3600})")
                                : token_reply);
    });
    settings.oauth_token_url = endpoint->url() + "/token";
    settings.oauth_client_id = "vesper:1";
    settings.oauth_client_secret_file = file("secret", "s3cret");
    settings.oauth_scope = "sync write";
    serve_text(Server::reply(200));
  }
  std::optional<Server> endpoint;
  std::string token_reply;
  std::vector<std::string> token_requests;
};

TEST_F(OAuthTest, AsksOnceAndKeepsTheToken) {
  EXPECT_EQ(post().status, 200);
  EXPECT_EQ(post().status, 200);
  ASSERT_EQ(token_requests.size(), 1u);
  EXPECT_TRUE(token_requests[0].starts_with("POST /token HTTP/1.1\r\n"));
  // base64("vesper%3A1:s3cret")
  EXPECT_NE(token_requests[0].find("Authorization: Basic dmVzcGVyJTNBMTpzM2NyZXQ=\r\n"),
            std::string::npos);
  EXPECT_TRUE(token_requests[0].ends_with("grant_type=client_credentials&scope=sync+write"));
  EXPECT_NE(requests[1].find("Authorization: Bearer t1\r\n"), std::string::npos);
}

TEST_F(OAuthTest, TakesTheSecretItselfAsWellAsAFile) {
  settings.oauth_client_secret = "s3cret";
  EXPECT_FALSE(fault_of(settings).empty()) << "one of the two, not both";
  settings.oauth_client_secret_file.clear();
  EXPECT_EQ(fault_of(settings), "");
  EXPECT_EQ(post().status, 200);
  ASSERT_EQ(token_requests.size(), 1u);
  EXPECT_NE(token_requests[0].find("Authorization: Basic dmVzcGVyJTNBMTpzM2NyZXQ=\r\n"),
            std::string::npos);
}

TEST_F(OAuthTest, AsksOnceForManyAtATime) {
  client = std::make_unique<UpstreamClient>(context.get_executor(), clock, std::vector{settings});
  int done = 0;
  const auto request = plain_request();
  for (int i = 0; i < 20; ++i)
    asio::co_spawn(context, client->post(request, Deadline{clock.now() + 5s}),
                   [&](std::exception_ptr, UpstreamReply reply) { done += reply.status == 200; });
  while (done < 20) ASSERT_GT(context.run_one(), 0u);
  EXPECT_EQ(token_requests.size(), 1u);
}

TEST_F(OAuthTest, ThrowsAwayATokenThatWasNotTaken) {
  serve_text(Server::reply(401));
  EXPECT_EQ(post().status, 401);
  EXPECT_EQ(post().status, 401);
  EXPECT_EQ(token_requests.size(), 2u);
}

TEST_F(OAuthTest, SendsNothingWithoutAToken) {
  for (const std::string& bad :
       {Server::reply(400, "", R"({"error":"invalid_client"})"), Server::reply(200, "", "{}"),
        Server::reply(200, "", R"({"access_token":"a b"})"),
        Server::reply(200, "", R"({"access_token":"a","token_type":"mac"})"), std::string{"x"}}) {
    token_reply = bad;
    client.reset();
    EXPECT_EQ(post().trouble, Trouble::credentials) << bad;
  }
  EXPECT_TRUE(requests.empty());
}

}  // namespace
}  // namespace vesper
