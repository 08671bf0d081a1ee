// Goal: the deliver flow's client and the stand-in agree on the wire, whatever the stand-in is told
// to do, and the stand-in applies each key once.
// Method: the real stand-in process on a free port, the real client.
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "io/clock/system_clock.hpp"
#include "io/https_client/loopback_for_tests.hpp"
#include "io/https_client/upstream_client.hpp"
#include "stages/upstream/judge.hpp"

extern char** environ;

namespace vesper {
namespace {

using nlohmann::json;

/// The stand-in as a child process; ends with the object.
class Standin {
 public:
  explicit Standin(const std::string& ledger) {
    const char* build = std::getenv("VESPER_BUILD");
    const std::string program = std::string{build ? build : "build/dev"} + "/vesper-standin";
    int out[2];
    if (::pipe(out) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    posix_spawn_file_actions_addclose(&actions, out[0]);
    const char* arguments[] = {program.c_str(), "--listen",     "127.0.0.1:0",
                               "--ledger",      ledger.c_str(), nullptr};
    if (::posix_spawn(&pid_, program.c_str(), &actions, nullptr,
                      const_cast<char* const*>(arguments), environ) != 0)
      pid_ = -1;
    posix_spawn_file_actions_destroy(&actions);
    ::close(out[1]);
    std::string line;
    for (char c; pid_ > 0 && ::read(out[0], &c, 1) == 1 && c != '\n';) line.push_back(c);
    ::close(out[0]);
    if (const auto at = line.find("http://"); at != line.npos) url = line.substr(at);
  }
  ~Standin() {
    if (pid_ <= 0) return;
    ::kill(pid_, SIGTERM);
    ::waitpid(pid_, nullptr, 0);
  }
  Standin(const Standin&) = delete;
  std::string url;

 private:
  pid_t pid_ = -1;
};

std::string bundle_of(const std::string& subject) {
  const std::string id = "5d1ba4a5-0000-5000-8000-000000000001";
  return json{{"resourceType", "Bundle"},
              {"type", "transaction"},
              {"entry",
               {{{"resource",
                  {{"resourceType", "QuestionnaireResponse"},
                   {"id", id},
                   {"subject", {{"identifier", {{"value", subject}}}}}}},
                 {"request", {{"method", "PUT"}, {"url", "QuestionnaireResponse/" + id}}}}}}}
      .dump();
}

class StandinTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ledger = ::testing::TempDir() + "vesper_ledger_" + std::to_string(::getpid());
    std::remove(ledger.c_str());
    start();
  }
  void TearDown() override {
    standin.reset();
    std::remove(ledger.c_str());
  }
  void start() {
    standin.reset();
    standin = std::make_unique<Standin>(ledger);
    ASSERT_FALSE(standin->url.empty()) << "vesper-standin did not start";
    UpstreamSettings settings;
    settings.name = "main";
    settings.url = standin->url;
    client = std::make_unique<UpstreamClient>(context.get_executor(), clock, std::vector{settings});
  }
  UpstreamReply post(std::uint8_t n, const std::string& bundle, Duration deadline = 5s) {
    Uuid id;
    id.bytes[15] = n;
    return run_to_end(
        context,
        client->post({.destination = "main",
                      .delivery_id = id,
                      .content_hash = Hash{n},
                      .bundle = bundle,
                      .traceparent = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"},
                     Deadline{clock.now() + deadline}));
  }
  upstream::Outcome judged(std::uint8_t n, const UpstreamReply& reply, Settle settle) {
    Uuid id;
    id.bytes[15] = n;
    return upstream::judge(
        reply, {.settle = settle, .delivery_id = id, .content_hash = Hash{n}, .now = clock.wall()});
  }
  json fetch(const std::string& path, const std::string& body = {}) {
    FetchClient fetch_client{clock, {}};
    const auto url = standin->url + path;
    auto reply = run_to_end(context, fetch_client.fetch({.method = body.empty() ? "GET" : "POST",
                                                         .url = url,
                                                         .content_type = "application/json",
                                                         .body = body,
                                                         .authorization = {},
                                                         .headers = {}},
                                                        Deadline{clock.now() + 5s}));
    EXPECT_TRUE(reply && reply->status == 200) << (reply ? reply->body : "no answer");
    return reply ? json::parse(reply->body, nullptr, false) : json{};
  }
  void control(const json& behaviour) { fetch("/control", behaviour.dump()); }

  asio::io_context context{1};
  SystemClock clock;
  std::string ledger;
  std::unique_ptr<Standin> standin;
  std::unique_ptr<UpstreamClient> client;
};

TEST_F(StandinTest, AppliesEachKeyOnceAlsoAcrossARestart) {
  auto reply = post(1, bundle_of("S-1"));
  EXPECT_EQ(reply.status, 201);
  EXPECT_EQ(judged(1, reply, Settle::receipt).verdict, upstream::Verdict::settled);
  reply = post(1, bundle_of("S-1"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(judged(1, reply, Settle::receipt).verdict, upstream::Verdict::settled);
  start();
  EXPECT_EQ(post(1, bundle_of("S-1")).status, 200);
  const auto counts = fetch("/count");
  EXPECT_EQ(counts["applied"], 1);
  EXPECT_EQ(counts["duplicates"], 1);
}

TEST_F(StandinTest, RefusesWhatIsNoTransactionOfPuts) {
  for (const std::string bundle :
       {"", "{}", R"({"resourceType":"Bundle","type":"batch","entry":[]})", "nonsense"})
    EXPECT_EQ(post(2, bundle).status, 400) << bundle;
  EXPECT_EQ(fetch("/count")["refused"], 4);
}

TEST_F(StandinTest, MisbehavesAsToldAndTheClientNamesIt) {
  using enum UpstreamReply::Trouble;
  const auto told = [&](const char* mode) {
    control({{"mode", mode}, {"next", 1}});
    return post(3, bundle_of("S-3"), 300ms);
  };
  EXPECT_EQ(told("hang").trouble, timed_out);
  EXPECT_EQ(told("cut_before").trouble, cut);
  EXPECT_EQ(told("garbage").trouble, not_http);
  EXPECT_EQ(told("redirect").status, 307);
  EXPECT_EQ(told("status").status, 503);
  const auto page = told("html");
  EXPECT_EQ(page.status, 200);
  EXPECT_TRUE(judged(3, page, Settle::any_2xx).suspect);
  EXPECT_EQ(judged(3, page, Settle::receipt).verdict, upstream::Verdict::retry);
  EXPECT_EQ(fetch("/count")["applied"], 0);
  EXPECT_EQ(told("cut_middle").trouble, cut);
  EXPECT_EQ(fetch("/count")["applied"], 1);
  EXPECT_EQ(told("cut_after").trouble, cut);
  EXPECT_EQ(told("hang_after").trouble, timed_out);
  EXPECT_EQ(told("huge").trouble, too_large);
  EXPECT_EQ(post(3, bundle_of("S-3")).status, 200);
  EXPECT_EQ(fetch("/count")["applied"], 1);
}

}  // namespace
}  // namespace vesper
