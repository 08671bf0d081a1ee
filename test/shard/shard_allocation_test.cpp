// Goal: one diary costs a shard few calls of operator new, from its bytes on the socket to its
// receipt. Method: the real HTTP server and intake service in one thread over a journal that
// commits at once; only what runs on the shard is counted. What the journal's own commit() adds is
// bounded in sqlite_store_test.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <new>

#include "base/encoding.hpp"
#include "flows/bundle_deriver.hpp"
#include "flows/intake_service.hpp"
#include "http/test_server.hpp"
#include "io/log/memory_log.hpp"

namespace {
bool counting = false;
[[maybe_unused]] long allocations = 0;
}  // namespace
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool counts_allocations = false;  // a sanitizer has its own operator new
#else
constexpr bool counts_allocations = true;
void* operator new(std::size_t size) {
  if (counting) ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
void operator delete(void* memory) noexcept {
  std::free(memory);
}
void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}
#endif

namespace vesper::test {
namespace {

constexpr double allocations_per_diary_max = 0.1;  // none but where a buffer grows now and then
constexpr std::string_view secret = "a secret of thirty-two bytes or so";

std::string demonstration(const char* name) {
  const char* source = std::getenv("VESPER_SOURCE");
  std::ifstream in{std::string{source != nullptr ? source : "."} + "/deploy/demo/" + name};
  return {std::istreambuf_iterator<char>{in}, {}};
}

std::string bearer() {
  std::string token =
      encode_base64url(R"({"alg":"HS256","kid":"k"})") + "." +
      encode_base64url(R"({"iss":"i","aud":"vesper","sub":"S-000123","trial":"BENCH-01",)"
                       R"("scope":"patient","exp":4102444800})");
  unsigned char mac[32];
  unsigned size = sizeof mac;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(token.data()), token.size(), mac, &size);
  return token + "." + encode_base64url({reinterpret_cast<const char*>(mac), size});
}

// Commits at once and forgets: the journal's own costs are not the shard's.
class InstantStore final : public JournalStore {
 public:
  asio::awaitable<std::expected<Committed, StoreFault>> commit(const JournalEntry& entry,
                                                               Patience) override {
    Committed committed;
    committed.facts.submission_id = entry.submission_id;
    committed.facts.delivery_id = entry.delivery_id;
    committed.facts.received_at = entry.received_at;
    committed.facts.content_hash = entry.content_hash;
    co_return committed;
  }
  asio::awaitable<std::expected<StoredDiary, StoreFault>> find(std::string_view, PatientText, Uuid,
                                                               Patience) override {
    co_return std::unexpected{StoreFault::not_found};
  }
  asio::awaitable<std::expected<std::vector<StoredDiary>, StoreFault>> find_in_trial(
      std::string_view, Uuid, Patience) override {
    co_return std::vector<StoredDiary>{};
  }
  asio::awaitable<std::expected<StoredDiary, StoreFault>> at(Position) override {
    co_return std::unexpected{StoreFault::not_found};
  }
  asio::awaitable<std::expected<void, StoreFault>> publish(const TrialRow&) override {
    co_return std::expected<void, StoreFault>{};
  }
  asio::awaitable<std::expected<std::vector<TrialRow>, StoreFault>> trials(Patience) override {
    std::vector<TrialRow> rows(1);
    rows[0].trial_id = "BENCH-01";
    rows[0].revision = 1;
    rows[0].document = demonstration("bench-trial.json");
    co_return rows;
  }
  asio::awaitable<std::expected<void, StoreFault>> record(const AuditEvent&) override {
    co_return std::expected<void, StoreFault>{};
  }
};

struct KeyFile final : FileStore {
  std::expected<std::string, FileFault> read(const std::string&, std::size_t, Secrecy) override {
    return R"({"keys":[{"kty":"oct","kid":"k","alg":"HS256","k":")" + encode_base64url(secret) +
           R"("}]})";
  }
  std::expected<void, FileFault> replace(const std::string&, std::string_view) override {
    return std::unexpected{FileFault::not_permitted};
  }
  std::expected<void, FileFault> append(const std::string&, std::string_view) override {
    return std::unexpected{FileFault::not_permitted};
  }
  std::expected<FileStamp, FileFault> stamp(const std::string&) override { return FileStamp{}; }
  std::expected<void, FileFault> owner_only(const std::string&) override { return {}; }
};

struct Counter64 final : Entropy {
  void fill(std::span<std::uint8_t> out) override {
    for (auto& byte : out) byte = ++last;
  }
  std::uint8_t last = 0;
};

// The server is made before what it serves: this stands between.
struct Later final : HttpService {
  bool begin(Exchange& exchange) override { return service->begin(exchange); }
  asio::awaitable<void> serve(Exchange& exchange) override { return service->serve(exchange); }
  void explain(std::uint16_t status, std::string_view text, Reply& reply) override {
    service->explain(status, text, reply);
  }
  HttpService* service = nullptr;
};

std::vector<KeySource> sources() {
  std::vector<KeySource> list(1);
  list[0].rules.issuer = "i";
  list[0].rules.audience = "vesper";
  list[0].location = "keys.json";
  return list;
}

class ShardAllocations : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(keys.load());
    keeper.add_shard({server.context.get_executor(), &catalog});
    asio::co_spawn(
        server.context,
        [this]() -> asio::awaitable<void> { EXPECT_TRUE((co_await keeper.load()).has_value()); },
        asio::detached);
    server.pump();
    ASSERT_EQ(catalog.snapshot()->trials.size(), 1u);
    server.service.service = &intake;
  }

  // Posts `count` diaries on one connection; the shard's calls of operator new meanwhile.
  long post(int count, int status = 201) {
    const std::string body = demonstration("bench-diary.json");
    const std::string request =
        "POST /patient/data HTTP/1.1\r\nHost: v\r\nAuthorization: Bearer " + bearer() +
        "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
        "\r\n\r\n" + body;
    allocations = 0;
    for (int i = 0; i < count; ++i) {
      client.send(request);
      answered += 1;
      const auto replies = client.read(answered);
      EXPECT_EQ(replies.list.back().status, status) << replies.list.back().body;
    }
    return allocations;
  }

  std::function<void()> counted_pump() {
    return [this] {
      counting = true;
      server.pump();
      counting = false;
    };
  }

  TestServer<Later> server;
  InstantStore store;
  KeyFile files;
  Counter64 entropy;
  MemoryLog log;
  Health health;
  admission::Slots slots;
  KeyKeeper keys{sources(), KeyRules{}, KeyPorts{server.clock, entropy, files, log}};
  ShardCatalog catalog;
  CatalogKeeper keeper{
      server.context.get_executor(), server.clock, log, server.telemetry, store, {"default"}};
  BundleDeriver bundles{catalog};
  LimitsKeeper limits{{}, {server.clock, log, store, files, {}}};
  FairUse fair_use{{server.clock,
                    server.telemetry,
                    log,
                    store,
                    slots,
                    limits,
                    {1, 2},
                    TaskScope{"test"},
                    server.context.get_executor()}};
  IntakeService intake{IntakeSettings{},
                       {server.clock, server.telemetry, store, catalog, keeper, bundles, keys,
                        health, entropy, slots, fair_use, limits}};
  RawClient client{server.port, counted_pump()};
  std::size_t answered = 0;
};

TEST_F(ShardAllocations, ADiaryInSteadyStateNeedsFew) {
  if (!counts_allocations) GTEST_SKIP() << "a sanitizer has its own operator new";
  std::ignore = post(50);
  const long steady = post(100);
  RecordProperty("for_100_diaries", std::to_string(steady));
  EXPECT_LE(static_cast<double>(steady), 100 * allocations_per_diary_max);
}

TEST_F(ShardAllocations, LimitsAndSharesAddNothing) {
  if (!counts_allocations) GTEST_SKIP() << "a sanitizer has its own operator new";
  admission::Limits wide;
  wide.standard.patient_per_minute = wide.standard.trial_per_second = 1e6;
  wide.standard.patient_per_day = 1'000'000;
  limits.configure(wide);
  std::ignore = post(50);
  EXPECT_LE(static_cast<double>(post(100)), 100 * allocations_per_diary_max);
}

TEST_F(ShardAllocations, ARefusalForARateAllocatesNothing) {
  if (!counts_allocations) GTEST_SKIP() << "a sanitizer has its own operator new";
  admission::Limits narrow;
  narrow.standard.patient_per_day = 2;
  limits.configure(narrow);
  std::ignore = post(2);
  std::ignore = post(50, 429);
  EXPECT_LE(post(100, 429), 1);
}

TEST_F(ShardAllocations, ARefusalAtTheDoorNeedsNone) {
  if (!counts_allocations) GTEST_SKIP() << "a sanitizer has its own operator new";
  admission::Limits unshared;
  unshared.fair_shares = false;
  limits.configure(unshared);
  admission::DoorRules shut;
  shut.loop.normal_max = shut.loop.overloaded_max = -1ns;
  intake.set_door(shut);
  std::ignore = post(50, 503);
  EXPECT_LE(post(200, 503), 2) << "where a buffer of the client's side of the test grows";
}

TEST_F(ShardAllocations, ARefusalOfAnAddressOrAConnectionNeedsNone) {
  if (!counts_allocations) GTEST_SKIP() << "a sanitizer has its own operator new";
  for (const bool of_address : {true, false}) {
    admission::Limits narrow;
    (of_address ? narrow.address.requests_per_second
                : narrow.address.connection_requests_per_second) = 1e-6;
    limits.configure(narrow);
    std::ignore = post(30);
    std::ignore = post(50, 429);
    EXPECT_LE(post(200, 429), 2) << "where a buffer of the client's side of the test grows";
  }
}

// Alone, a trial wants nobody's room: it was the door that had none.
TEST_F(ShardAllocations, ATrialAloneIsRefusedForTheDoorsReasonAndNeedsNone) {
  if (!counts_allocations) GTEST_SKIP() << "a sanitizer has its own operator new";
  std::ignore = post(50);
  admission::DoorRules shut;
  shut.loop.normal_max = shut.loop.overloaded_max = -1ns;
  intake.set_door(shut);
  std::ignore = post(50, 503);
  EXPECT_LE(post(200, 503), 2);
  EXPECT_EQ(server.telemetry.of(Counter::refused_for_loop), 250u);
  EXPECT_EQ(server.telemetry.of(Counter::refused_for_share), 0u);
  fair_use.shares().count(fair_use.shares().party_of(99));  // another trial asks
  std::ignore = post(1, 503);
  fair_use.tick(server.clock.now() + 100ms);
  std::ignore = post(200, 503);
  EXPECT_GT(server.telemetry.of(Counter::refused_for_share), 0u);
}

TEST_F(ShardAllocations, ADoorOnTrialCountsAndRefusesNothing) {
  admission::DoorRules shut;
  shut.loop.normal_max = shut.loop.overloaded_max = -1ns;
  intake.set_door({}, shut);
  std::ignore = post(10);
  EXPECT_EQ(server.telemetry.of(Counter::would_refuse_at_door), 10u);
  intake.set_door({});
  std::ignore = post(10);
  EXPECT_EQ(server.telemetry.of(Counter::would_refuse_at_door), 10u);
}

// Negative control: the first diary makes the buffers, and the counter sees it.
TEST_F(ShardAllocations, TheFirstDiaryIsSeenToAllocate) {
  if (!counts_allocations) GTEST_SKIP() << "a sanitizer has its own operator new";
  EXPECT_GT(post(1), 10);
}

}  // namespace
}  // namespace vesper::test
