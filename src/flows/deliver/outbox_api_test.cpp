#include "flows/deliver/outbox_api.hpp"

#include <nlohmann/json.hpp>

#include "flows/deliver/outbox_client.hpp"
#include "flows/deliver/rig_for_tests.hpp"

namespace vesper {
namespace {

using nlohmann::json;

/// Serves what the command line fetches by the API itself, without sockets.
class ApiFetch final : public HttpFetch {
 public:
  explicit ApiFetch(OutboxApi& api) : api_(api) {}
  asio::awaitable<std::expected<FetchReply, FetchFault>> fetch(const Request& request,
                                                               Deadline) override {
    std::string_view target = request.url;
    if (!target.starts_with("http://admin")) co_return std::unexpected(FetchFault::refused);
    target.remove_prefix(12);
    authorization = request.authorization;
    RequestHead head;
    head.method = request.method == "POST" ? Method::post : Method::get;
    head.path = target.substr(0, target.find('?'));
    if (head.path.size() < target.size()) head.query = target.substr(head.path.size() + 1);
    Reply reply;
    co_await api_.serve(head, request.body, "local", reply);
    FetchReply answer;
    answer.status = reply.status;
    answer.body = reply.body;
    co_return answer;
  }
  std::string authorization;

 private:
  OutboxApi& api_;
};

class OutboxApiTest : public Deliver {
 protected:
  void SetUp() override {
    start({settings_of("main"), settings_of("other")});
    process->platform.rules["main"] = [](const std::string& subject, std::uint32_t) {
      return Platform::status(subject == "S-bad" ? 422 : 200);
    };
    process->commit(1, "S-bad", {"main"});
    process->commit(2, "S-bad", {"main"});
    process->commit(3, "S-good", {"main", "other"});
    process->run_for(5s);
    api.emplace(process->delivery);
  }
  Reply ask(Method method, std::string_view path, std::string_view query = {},
            std::string_view body = {}, Duration patience = 1h) {
    RequestHead head;
    head.method = method;
    head.path = path;
    head.query = query;
    struct Work {
      static asio::awaitable<Reply> run(OutboxApi& api, const RequestHead& head,
                                        std::string_view body, Deadline deadline) {
        Reply reply;
        co_await api.serve(head, body, "id.example ops-1", reply, deadline);
        co_return reply;
      }
    };
    return process->get(Work::run(*api, head, body, Deadline{process->clock.now() + patience}));
  }
  OutboxCommandResult run(OutboxCommand command) {
    ApiFetch fetch{*api};
    command.server = command.server.empty() ? "http://admin/" : command.server;
    auto result = process->get(run_outbox_command(command, fetch, process->clock));
    authorization = fetch.authorization;
    return result;
  }
  std::optional<OutboxApi> api;
  std::string authorization;
};

TEST_F(OutboxApiTest, ListsWhatIsOwedToWhom) {
  const auto reply = ask(Method::get, "/outbox");
  ASSERT_EQ(reply.status, 200);
  const auto list = json::parse(reply.body)["destinations"];
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0]["destination"], "main");
  EXPECT_EQ(list[0]["delivered"], 1);
  EXPECT_EQ(list[0]["parked"], 1);
  EXPECT_EQ(list[0]["owed"], 1);
  EXPECT_EQ(list[0]["oldestAgeSeconds"], 5);
  EXPECT_EQ(list[0]["breaker"], "closed");
  EXPECT_EQ(list[0]["lastError"], "unprocessable");
  EXPECT_EQ(list[0]["lastErrorStatus"], 422);
  EXPECT_EQ(list[0]["paused"], false);
  EXPECT_EQ(list[1]["drainSeconds"], 0);
  EXPECT_EQ(list[1]["lastError"], nullptr);
  EXPECT_EQ(reply.body.find("S-bad"), std::string::npos);
}

TEST_F(OutboxApiTest, ShowsWhatIsParkedByPages) {
  auto page = json::parse(ask(Method::get, "/outbox/main", "limit=1").body);
  ASSERT_EQ(page["parked"].size(), 1u);
  EXPECT_EQ(page["parked"][0]["deliveryId"], to_string(id_of(1)));
  EXPECT_EQ(page["parked"][0]["reason"], "unprocessable");
  EXPECT_EQ(page["next"], 1);
  page = json::parse(ask(Method::get, "/outbox/main", "limit=1&after=1").body);
  EXPECT_TRUE(page["parked"].empty());
  EXPECT_EQ(page["next"], nullptr);
}

TEST_F(OutboxApiTest, AStalledJournalIsToldAtTheDeadline) {
  process->disk.held = true;
  const Instant began = process->clock.now();
  for (const auto path : {"/outbox", "/outbox/main"}) {
    const Reply reply = ask(Method::get, path, {}, {}, 2s);
    EXPECT_EQ(reply.status, 503);
    EXPECT_TRUE(reply.headers.contains("Retry-After: 2"));
  }
  EXPECT_GE(process->clock.now() - began, 4s);
  EXPECT_LE(process->clock.now() - began, 4100ms);
  process->disk.held = false;
  EXPECT_EQ(ask(Method::get, "/outbox").status, 200);
}

// Nobody waits for it any more, and yet it is finished: the journal and the destination agree.
TEST_F(OutboxApiTest, AChangeThatOutlivesItsDeadlineIsInForceAllTheSame) {
  process->disk.sync_min = process->disk.sync_max = 5s;
  const Instant began = process->clock.now();
  const std::string path = "/outbox/main/skip/" + to_string(id_of(1));
  EXPECT_EQ(ask(Method::post, path, {}, R"({"reason":"twice"})", 1s).status, 503);
  EXPECT_LE(process->clock.now() - began, 1100ms);
  EXPECT_TRUE(platter.audit.empty());
  process->run_for(6s);
  process->disk.sync_min = process->disk.sync_max = 1ms;
  process->run_for(10s);
  ASSERT_EQ(platter.audit.size(), 1u);
  EXPECT_EQ(row("main").counts.parked, 1u) << "the next of the lane has been tried, and is parked";
  EXPECT_EQ(process->platform.tries[id_of(2)], 1u);
}

TEST_F(OutboxApiTest, ChangesAreAuditedWithActorAndReason) {
  const std::string one = to_string(id_of(1));
  EXPECT_EQ(
      ask(Method::post, "/outbox/main/skip/" + one, {}, R"({"reason":"entered twice"})").status,
      200);
  EXPECT_EQ(ask(Method::post, "/outbox/main/pause", {}, R"({"reason":"maintenance"})").status, 200);
  EXPECT_EQ(ask(Method::post, "/outbox/main/resume").status, 200);
  ASSERT_EQ(platter.audit.size(), 3u);
  EXPECT_EQ(platter.audit[0].action, "outbox.skip");
  EXPECT_EQ(platter.audit[0].actor, "id.example ops-1");
  EXPECT_EQ(platter.audit[0].target, "main/" + one);
  EXPECT_EQ(platter.audit[0].reason, "entered twice");
  EXPECT_EQ(platter.audit[1].action, "outbox.pause");
  EXPECT_EQ(platter.audit[2].action, "outbox.resume");
}

TEST_F(OutboxApiTest, RefusesInTheAskersTerms) {
  const std::string one = to_string(id_of(1)), two = to_string(id_of(2));
  struct Case {
    Method method;
    std::string path, query, body;
    int status;
  };
  for (const auto& c : {Case{Method::post, "/outbox", "", "", 405},
                        Case{Method::get, "/outbox/main/pause", "", "", 405},
                        Case{Method::get, "/outbox/nobody", "", "", 404},
                        Case{Method::get, "/outbox/a%2Fb", "", "", 404},
                        Case{Method::get, "/outbox/main", "limit=0", "", 400},
                        Case{Method::get, "/outbox/main", "limit=1001", "", 400},
                        Case{Method::get, "/outbox/main", "x=1", "", 400},
                        Case{Method::post, "/outbox/main/redrive/xyz", "", "", 400},
                        Case{Method::post, "/outbox/main/redrive/" + two, "", "", 404},
                        Case{Method::post, "/outbox/nobody/redrive/" + one, "", "", 404},
                        Case{Method::post, "/outbox/main/skip/" + one, "", "", 400},
                        Case{Method::post, "/outbox/main/skip/" + one, "", "[]", 400},
                        Case{Method::post, "/outbox/main/pause", "", R"({"reason":1})", 400},
                        Case{Method::post, "/outbox/main/erase", "", "", 404}}) {
    const auto reply = ask(c.method, c.path, c.query, c.body);
    EXPECT_EQ(reply.status, c.status) << c.path << c.query;
    EXPECT_TRUE(json::parse(reply.body)["error"].is_string()) << c.path;
  }
  const std::string longest(1000, 'x'), too_long(1001, 'x');
  EXPECT_EQ(ask(Method::post, "/outbox/main/pause", {}, json{{"reason", longest}}.dump()).status,
            200);
  EXPECT_EQ(ask(Method::post, "/outbox/main/pause", {}, json{{"reason", too_long}}.dump()).status,
            400);
  EXPECT_EQ(platter.audit.size(), 1u);
}

TEST_F(OutboxApiTest, TheCommandListsShowsAndRedrives) {
  auto result = run({.verb = "list", .token = "t"});
  EXPECT_EQ(result.exit_status, 0);
  EXPECT_EQ(authorization, "Bearer t");
  EXPECT_NE(result.out.find("main"), std::string::npos);
  EXPECT_NE(result.out.find("delivering, last error unprocessable (422)"), std::string::npos);
  result = run({.verb = "list", .json = true});
  EXPECT_EQ(json::parse(result.out)["destinations"].size(), 2u);
  result = run({.verb = "show", .destination = "main"});
  EXPECT_NE(result.out.find(to_string(id_of(1))), std::string::npos);
  process->platform.rules["main"] = {};
  result = run({.verb = "redrive",
                .destination = "main",
                .delivery_id = to_string(id_of(1)),
                .reason = "fixed there"});
  EXPECT_EQ(result.exit_status, 0) << result.err;
  process->run_for(5s);
  EXPECT_EQ(process->platform.applied["main"].size(), 3u);
}

TEST_F(OutboxApiTest, TheCommandSaysWhatIsWrong) {
  EXPECT_EQ(run({.verb = "show", .destination = "nobody"}).exit_status, 1);
  EXPECT_EQ(run({.verb = "erase"}).exit_status, 2);
  EXPECT_EQ(run({.verb = "show"}).exit_status, 2);
  EXPECT_EQ(run({.verb = "redrive", .destination = "main", .delivery_id = "1"}).exit_status, 2);
  EXPECT_EQ(
      run({.verb = "skip", .destination = "main", .delivery_id = to_string(id_of(1))}).exit_status,
      2);
  const auto nobody = run({.server = "http://127.0.0.1:1", .verb = "list"});
  EXPECT_EQ(nobody.exit_status, 2);
  EXPECT_EQ(nobody.err, "http://127.0.0.1:1: nothing listens there");
}

}  // namespace
}  // namespace vesper
