// Every key of the configuration arrives where it has its effect: a key that nobody reads is a lie.
#include "app/settings.hpp"

#include <gtest/gtest.h>

#include <set>

#include "app/config_key.hpp"
#include "app/config_load.hpp"
#include "app/receipt_key_file.hpp"
#include "io/https_client/upstream_client.hpp"

namespace vesper {
namespace {

// Each key with a value that is not its default.
const ConfigEnvironment unusual{
    {"VESPER__INTAKE__LISTEN", "127.0.0.2:1"},
    {"VESPER__INTAKE__SHARDS", "3"},
    {"VESPER__INTAKE__CONNECTIONS_MAX", "101"},
    {"VESPER__INTAKE__BYTES_IN_FLIGHT_MAX", "1048577"},
    {"VESPER__INTAKE__TRUSTED_PROXIES", "10.0.0.0/8,fd00::/8"},
    {"VESPER__INTAKE__CLIENT_HEADER", "Forwarded"},
    {"VESPER__INTAKE__TARGET_MAX_BYTES", "301"},
    {"VESPER__INTAKE__HEADER_MAX_BYTES", "2001"},
    {"VESPER__INTAKE__HEADER_FIELDS_MAX", "9"},
    {"VESPER__INTAKE__BODY_MAX_BYTES", "2002"},
    {"VESPER__INTAKE__HEADER_TIMEOUT_MS", "11"},
    {"VESPER__INTAKE__IDLE_TIMEOUT_MS", "12"},
    {"VESPER__INTAKE__WRITE_TIMEOUT_MS", "13"},
    {"VESPER__INTAKE__REQUEST_DEADLINE_MS", "14"},
    {"VESPER__INTAKE__BODY_RATE_MIN_BYTES_PER_S", "15"},
    {"VESPER__INTAKE__BODY_GRACE_MS", "16"},
    {"VESPER__INTAKE__TLS_CERTIFICATE", "/c"},
    {"VESPER__INTAKE__TLS_KEY", "/k"},
    {"VESPER__ADMIN__LISTEN", "127.0.0.3:2"},
    {"VESPER__ADMIN__AUTHENTICATION", "token"},
    {"VESPER__ADMIN__ALLOWED_HOSTS", "ops.example"},
    {"VESPER__ADMIN__CONNECTIONS_MAX", "17"},
    {"VESPER__JOURNAL__URL", "sqlite:/j/v.db"},
    {"VESPER__JOURNAL__BATCH_ENTRIES_MAX", "18"},
    {"VESPER__JOURNAL__BATCH_MAX_BYTES", "65537"},
    {"VESPER__JOURNAL__BATCH_WAIT_US", "19"},
    {"VESPER__JOURNAL__PACE_PER_S", "5000"},
    {"VESPER__JOURNAL__READ_THREADS", "20"},
    {"VESPER__JOURNAL__QUEUE_ENTRIES_MAX", "21"},
    {"VESPER__JOURNAL__DISK_RESERVE_BYTES", "16777217"},
    {"VESPER__RECEIPTS__KEY", "/rk"},
    {"VESPER__RECEIPTS__ALGORITHM", "ES256"},
    {"VESPER__ANCHOR__FILE", "/anchors"},
    {"VESPER__ANCHOR__URL", "https://anchor.example/"},
    {"VESPER__ANCHOR__EVERY_S", "61"},
    {"VESPER__ANCHOR__EVERY_GROUPS", "62"},
    {"VESPER__ANCHOR__DEADLINE_MS", "63"},
    {"VESPER__ANCHOR__TLS_CA", "/aca"},
    {"VESPER__ANCHOR__BEARER_FILE", "/ab"},
    {"VESPER__ACCESS__ISSUER__0__ISSUER", "i"},
    {"VESPER__ACCESS__ISSUER__0__AUDIENCE", "a"},
    {"VESPER__ACCESS__ISSUER__0__JWKS", "https://id.example/jwks"},
    {"VESPER__ACCESS__ISSUER__0__SCOPES", "ops"},
    {"VESPER__ACCESS__ISSUER__0__ALGORITHMS", "k=ES256"},
    {"VESPER__ACCESS__ISSUER__0__SUBJECT_CLAIM", "who"},
    {"VESPER__ACCESS__ISSUER__0__REFRESH_S", "23"},
    {"VESPER__ACCESS__ISSUER__0__REFRESH_FLOOR_S", "24"},
    {"VESPER__ACCESS__ISSUER__0__FETCH_DEADLINE_MS", "125"},
    {"VESPER__ACCESS__ISSUER__0__TLS_CA", "/ica"},
    {"VESPER__ACCESS__ISSUER__0__KEYS_KEPT", "/kept"},
    {"VESPER__UPSTREAM__A__URL", "https://a.example"},
    {"VESPER__UPSTREAM__A__PATH", "/p"},
    {"VESPER__UPSTREAM__A__SETTLE", "receipt"},
    {"VESPER__UPSTREAM__A__DEADLINE_MS", "26"},
    {"VESPER__UPSTREAM__A__BACKOFF_MIN_MS", "27"},
    {"VESPER__UPSTREAM__A__RETRY_AFTER_MAX_MS", "1028"},
    {"VESPER__UPSTREAM__A__SLOW_MS", "29"},
    {"VESPER__UPSTREAM__A__FAULT_PERCENT_MAX", "75"},
    {"VESPER__UPSTREAM__A__PROBE_EVERY_MS", "130"},
    {"VESPER__UPSTREAM__A__RETRY_PERCENT_MAX", "31"},
    {"VESPER__UPSTREAM__A__RETRY_FLOOR_PER_S", "32"},
    {"VESPER__UPSTREAM__A__BACKOFF_MAX_MS", "28"},
    {"VESPER__UPSTREAM__A__CONCURRENCY_MAX", "29"},
    {"VESPER__UPSTREAM__A__RATE_MAX_PER_S", "30"},
    {"VESPER__UPSTREAM__A__ALLOW_PLAIN_HTTP", "true"},
    {"VESPER__UPSTREAM__A__OAUTH2_TOKEN_URL", "https://t.example/token"},
    {"VESPER__UPSTREAM__A__OAUTH2_CLIENT_ID", "id"},
    {"VESPER__UPSTREAM__A__OAUTH2_CLIENT_SECRET", "secret"},
    {"VESPER__UPSTREAM__A__OAUTH2_SCOPE", "sc"},
    {"VESPER__UPSTREAM__A__TLS_CA", "/ca"},
    {"VESPER__UPSTREAM__A__TLS_CERTIFICATE", "/cc"},
    {"VESPER__UPSTREAM__A__TLS_KEY", "/ck"},
    {"VESPER__UPSTREAM__B__URL", "https://b.example"},
    {"VESPER__UPSTREAM__B__BEARER_FILE", "/b"},
    {"VESPER__ADMISSION__ENABLED", "false"},
    {"VESPER__ADMISSION__WAIT_MAX_MS", "61"},
    {"VESPER__ADMISSION__WAIT_OVERLOADED_MAX_MS", "31"},
    {"VESPER__ADMISSION__JOURNAL_WAIT_MAX_MS", "62"},
    {"VESPER__ADMISSION__JOURNAL_WAIT_OVERLOADED_MAX_MS", "32"},
    {"VESPER__ADMISSION__REFUSAL_SHARE_PERCENT", "33"},
    {"VESPER__LIMITS__PATIENT_PER_MINUTE", "41"},
    {"VESPER__LIMITS__PATIENT_BURST", "42"},
    {"VESPER__LIMITS__PATIENT_PER_DAY", "43"},
    {"VESPER__LIMITS__CALLER_PER_S", "44"},
    {"VESPER__LIMITS__TRIAL_PER_S", "45"},
    {"VESPER__LIMITS__TRIAL_BURST", "46"},
    {"VESPER__LIMITS__SUBMISSIONS_MAX_PER_S", "47"},
    {"VESPER__LIMITS__READS_MAX_PER_S", "48"},
    {"VESPER__LIMITS__EXPORTS_MAX_PER_S", "49"},
    {"VESPER__LIMITS__COLD_CHECKS_PERCENT", "50"},
    {"VESPER__LIMITS__COLD_CHECKS_CROWDED_PERCENT", "51"},
    {"VESPER__LIMITS__ADDRESS_PER_S", "52"},
    {"VESPER__LIMITS__ADDRESS_BURST", "53"},
    {"VESPER__LIMITS__ADDRESS_CONNECTIONS_MAX", "54"},
    {"VESPER__LIMITS__CONNECTION_PER_S", "55"},
    {"VESPER__LIMITS__CONNECTION_BURST", "56"},
    {"VESPER__LIMITS__DRY_RUN", "true"},
    {"VESPER__LIMITS__FAIR_SHARES", "false"},
    {"VESPER__LIMITS__DEGRADE_AUTOMATICALLY", "false"},
    {"VESPER__LOG__LEVEL", "error"},
    {"VESPER__LOG__QUEUE_MAX_BYTES", "4097"},
    {"VESPER__SHUTDOWN__DEADLINE_MS", "131"},
};

Config config() {
  auto loaded = load_config(std::nullopt, unusual);
  EXPECT_TRUE(loaded) << (loaded ? "" : loaded.error().front());
  return loaded.value_or(Config{});
}

constexpr std::uint64_t memory = 8ULL << 30;

admission::DoorLimits door() {
  return standard_limits(config(), memory).door;
}

TEST(Settings, EveryKeyOfTheTableIsAmongThoseTested) {
  std::set<std::string> tested;
  for (const auto& [variable, value] : unusual)
    tested.insert(variable.substr(variable.rfind("__") + 2));
  for (const ConfigKey& key : config_keys()) {
    std::string name{key.name};
    for (char& c : name) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    EXPECT_TRUE(tested.contains(name)) << key.section << "." << key.name;
  }
}

TEST(Settings, AdmissionReachesTheDoorAndTheLine) {
  const Config given = config();
  const admission::DoorRules rules = intake_settings(given, door()).door;
  EXPECT_FALSE(rules.enabled);
  EXPECT_EQ(rules.loop.normal_max, 61ms);
  EXPECT_EQ(rules.loop.overloaded_max, 31ms);
  EXPECT_EQ(rules.journal.normal_max, 62ms);
  EXPECT_EQ(rules.journal.overloaded_max, 32ms);
  EXPECT_EQ(rules.journal_late_max, 124ms);
  const admission::ReadRules line = intake_limits(given, door()).reading;
  EXPECT_FALSE(line.enabled);
  EXPECT_EQ(line.wait, rules.loop);
  EXPECT_DOUBLE_EQ(line.refusal_share, 0.33);
}

TEST(Settings, IntakeAndAdminReachTheirListeners) {
  const Config given = config();
  const HttpLimits intake = intake_limits(given, door());
  EXPECT_EQ(intake.connections_max, 101u);
  EXPECT_EQ(intake.bytes_in_flight_max, 1048577u);
  EXPECT_EQ(intake.head.line_bytes_max, 301u);
  EXPECT_EQ(intake.head.head_bytes_max, 2001u);
  EXPECT_EQ(intake.head.headers_max, 9u);
  EXPECT_EQ(intake.body_bytes_max, 2002u);
  EXPECT_EQ(intake.head_timeout, 11ms);
  EXPECT_EQ(intake.idle_timeout, 12ms);
  EXPECT_EQ(intake.write_timeout, 13ms);
  EXPECT_EQ(intake.body_rate_min_bytes_per_s, 15u);
  EXPECT_EQ(intake.body_grace, 16ms);
  EXPECT_EQ(intake_settings(given, door()).body_limit_bytes, 2002u);
  EXPECT_EQ(intake_settings(given, door()).submit_deadline, 14ms);
  EXPECT_EQ(admin_limits(given).connections_max, 17u);
}

TEST(Settings, TheCeilingOfBytesIsAnEighthOfTheMemoryUnlessStated) {
  EXPECT_EQ(bytes_in_flight_ceiling(0, memory), 1ULL << 30);
  EXPECT_EQ(bytes_in_flight_ceiling(0, 128ULL << 20), 16ULL << 20);
  EXPECT_EQ(bytes_in_flight_ceiling(0, (128ULL << 20) - 8), 16ULL << 20) << "a server needs some";
  EXPECT_EQ(bytes_in_flight_ceiling(0, (128ULL << 20) + 8), (16ULL << 20) + 1);
  EXPECT_EQ(bytes_in_flight_ceiling(0, 0), 256ULL << 20) << "nobody knows";
  EXPECT_EQ(bytes_in_flight_ceiling(1 << 20, memory), 1ULL << 20);
}

TEST(Settings, ProxiesReachAdmission) {
  const admission::ProxyTrust proxies = intake_settings(config(), door()).proxies;
  ASSERT_EQ(proxies.networks.size(), 2u);
  EXPECT_TRUE(proxies.trusts(*parse_peer_address("10.9.9.9")));
  EXPECT_TRUE(proxies.trusts(*parse_peer_address("fd00::1")));
  EXPECT_FALSE(proxies.trusts(*parse_peer_address("127.0.0.1")));
  EXPECT_EQ(proxies.header, admission::ClientHeader::forwarded);
}

TEST(Settings, LimitsReachAdmissionAndZeroIsNone) {
  const admission::Limits limits = standard_limits(config(), memory);
  admission::RateLimits rates;
  rates.patient_per_minute = 41;
  rates.patient_burst = 42;
  rates.patient_per_day = 43;
  rates.caller_per_second = 44;
  rates.trial_per_second = 45;
  rates.trial_burst = 46;
  EXPECT_EQ(limits.standard, rates);
  EXPECT_EQ(limits.ceilings, (admission::Ceilings{47, 48, 49}));
  EXPECT_EQ(limits.cold_checks_percent, 50u);
  EXPECT_EQ(limits.cold_checks_crowded_percent, 51u);
  EXPECT_EQ(limits.address, (admission::AddressLimits{52, 53, 54, 55, 56}));
  EXPECT_EQ(limits.door.connections_max, 101u);
  EXPECT_EQ(limits.door.bytes_in_flight_max, 1048577u);
  EXPECT_TRUE(limits.dry_run);
  EXPECT_FALSE(limits.fair_shares);
  EXPECT_FALSE(limits.degrade_automatically);
  EXPECT_FALSE(standard_limits(Config{}, memory).standard.any());
}

TEST(Settings, JournalKeysReachTheStore) {
  const SqliteOptions journal = journal_options(config());
  EXPECT_EQ(journal.path, "/j/v.db");
  EXPECT_EQ(journal.group_entries_max, 18u);
  EXPECT_EQ(journal.group_bytes_max, 65537u);
  EXPECT_EQ(journal.group_wait, 19us);
  EXPECT_EQ(journal.read_threads, 20u);
  EXPECT_EQ(journal.queue_entries_max, 21u);
  EXPECT_EQ(journal.reserve_bytes, 16777217u);
  EXPECT_EQ(journal.durability, Durability::full);
  EXPECT_EQ(journal.pace_per_s, 5000u);
}

TEST(Settings, APacedJournalTakesGroupsOfTenMilliseconds) {
  Config given = config();
  given.journal.batch_entries_max = 512;
  given.journal.pace_per_s = 2'000;
  EXPECT_EQ(journal_options(given).group_entries_max, 20u);
  given.journal.pace_per_s = 99;
  EXPECT_EQ(journal_options(given).group_entries_max, 1u);
  given.journal.pace_per_s = 0;
  EXPECT_EQ(journal_options(given).group_entries_max, 512u);
}

TEST(Settings, IssuerKeysReachAccess) {
  const Config given = config();
  const auto rules = issuer_rules(given.issuers.at(0));
  EXPECT_EQ(rules.issuer, "i");
  EXPECT_EQ(rules.audience, "a");
  EXPECT_EQ(rules.subject_claim, "who");
  EXPECT_TRUE(rules.grantable.has(Scope::ops));
  EXPECT_FALSE(rules.grantable.has(Scope::patient));
  EXPECT_EQ(rules.algorithms.size(), 1u);
  EXPECT_EQ(kept_keys_path(given, given.issuers.at(0)), "/kept");
}

TEST(Settings, ReceiptAndAnchorKeysReachTheirPlaces) {
  const Config given = config();
  EXPECT_EQ(receipt_key_path(given), "/rk");
  EXPECT_EQ(given.receipts.algorithm, ReceiptAlgorithmConfig::es256);
  const AnchorSettings anchor = anchor_settings(given);
  EXPECT_EQ(anchor.file, "/anchors");
  EXPECT_EQ(anchor.url, "https://anchor.example/");
  EXPECT_EQ(anchor.every, 61s);
  EXPECT_EQ(anchor.every_groups, 62u);
  EXPECT_EQ(anchor.deadline, 63ms);
  EXPECT_EQ(given.anchor.tls_ca, "/aca");
  EXPECT_EQ(anchor.bearer_file, "/ab");
}

TEST(Settings, DestinationKeysReachDelivery) {
  const auto all = upstream_settings(config());
  ASSERT_EQ(all.size(), 2u);
  const UpstreamSettings& a = all[0];
  EXPECT_EQ(a.url + a.path, "https://a.example/p");
  EXPECT_EQ(a.settle, Settle::receipt);
  EXPECT_EQ(a.deadline, 26ms);
  EXPECT_EQ(a.retry_base, 27ms);
  EXPECT_EQ(a.retry_cap, 28ms);
  EXPECT_EQ(a.retry_after_max, 1028ms);
  EXPECT_EQ(a.slow_from, 29ms);
  EXPECT_EQ(a.fault_share_max, 0.75);
  EXPECT_EQ(a.probe_every, 130ms);
  EXPECT_EQ(a.retry_share_max, 0.31);
  EXPECT_EQ(a.retry_floor_per_s, 32);
  EXPECT_EQ(a.concurrency, 29u);
  EXPECT_EQ(a.rate_max_per_s, 30);
  EXPECT_TRUE(a.allow_plain_http);
  EXPECT_EQ(a.oauth_token_url, "https://t.example/token");
  EXPECT_EQ(a.oauth_client_id, "id");
  EXPECT_EQ(a.oauth_client_secret, "secret");
  EXPECT_EQ(a.oauth_scope, "sc");
  EXPECT_EQ(a.ca_file, "/ca");
  EXPECT_EQ(a.certificate_file, "/cc");
  EXPECT_EQ(a.key_file, "/ck");
  EXPECT_EQ(all[1].bearer_file, "/b");
  for (const auto& settings : all) EXPECT_EQ(fault_of(settings), "");
}

}  // namespace
}  // namespace vesper
