#include <algorithm>
#include <type_traits>

#include "app/config_key.hpp"
#include "base/ensure.hpp"

namespace vesper {
namespace {

using enum ConfigKind;

template <class T>
struct MemberOf;
template <class S, class M>
struct MemberOf<M S::*> {
  using Section = S;
  using Member = M;
};

template <class M>
void assign(M& member, const ConfigValue& value) {
  if constexpr (std::is_same_v<M, bool>)
    member = std::get<bool>(value);
  else if constexpr (std::is_enum_v<M> || std::is_integral_v<M>)
    member = static_cast<M>(std::get<std::int64_t>(value));
  else if constexpr (requires { typename M::period; })
    member = M{std::get<std::int64_t>(value)};
  else if constexpr (std::is_same_v<M, std::filesystem::path>)
    member = std::get<std::string>(value);
  else
    member = std::get<M>(value);
}

template <auto Member>
void store(void* section, const ConfigValue& value) {
  using Where = MemberOf<decltype(Member)>;
  assign(static_cast<typename Where::Section*>(section)->*Member, value);
}

template <class Section>
constexpr std::string_view section_name;
template <>
constexpr std::string_view section_name<IntakeConfig> = "intake";
template <>
constexpr std::string_view section_name<AdminConfig> = "admin";
template <>
constexpr std::string_view section_name<JournalConfig> = "journal";
template <>
constexpr std::string_view section_name<ReceiptsConfig> = "receipts";
template <>
constexpr std::string_view section_name<AnchorConfig> = "anchor";
template <>
constexpr std::string_view section_name<AdmissionConfig> = "admission";
template <>
constexpr std::string_view section_name<IssuerConfig> = "access.issuer";
template <>
constexpr std::string_view section_name<UpstreamConfig> = "upstream";
template <>
constexpr std::string_view section_name<LimitsConfig> = "limits";
template <>
constexpr std::string_view section_name<LogConfig> = "log";
template <>
constexpr std::string_view section_name<ShutdownConfig> = "shutdown";

template <auto Member>
constexpr ConfigKey plain(std::string_view name, ConfigKind kind, std::string_view standard,
                          std::string_view meaning) {
  using Section = typename MemberOf<decltype(Member)>::Section;
  return {.section = section_name<Section>,
          .name = name,
          .kind = kind,
          .standard = standard,
          .unit = {},
          .choices = {},
          .meaning = meaning,
          .store = store<Member>};
}

struct Range {
  std::int64_t least, most;
  std::string_view unit;
};

template <auto Member>
constexpr ConfigKey numeric(std::string_view name, std::string_view standard, Range range,
                            std::string_view meaning) {
  ConfigKey key = plain<Member>(name, ConfigKind::number, standard, meaning);
  key.least = range.least;
  key.most = range.most;
  key.unit = range.unit;
  return key;
}

template <auto Member>
constexpr ConfigKey among(std::string_view name, ConfigKind kind, std::string_view standard,
                          std::string_view choices, std::string_view meaning) {
  ConfigKey key = plain<Member>(name, kind, standard, meaning);
  key.choices = choices;
  return key;
}

constexpr ConfigKey required(ConfigKey key) {
  key.required = true;
  return key;
}
constexpr ConfigKey secret(ConfigKey key) {
  key.secret = true;
  return key;
}
constexpr ConfigKey live(ConfigKey key) {
  key.live = true;
  return key;
}

constexpr std::int64_t kib = 1024, mib = 1024 * kib, gib = 1024 * mib, tib = 1024 * gib;
constexpr std::int64_t hour_ms = 3'600'000, day_s = 86'400;

constexpr ConfigSection sections[] = {
    {"intake", ConfigShape::single, "The port that takes diaries."},
    {"admin", ConfigShape::single, "The port for operators: metrics, profiles, the outbox."},
    {"journal", ConfigShape::single, "Where diaries are kept."},
    {"receipts", ConfigShape::single, "The key that signs receipts."},
    {"anchor", ConfigShape::single,
     "Where signed links go, outside the journal: what tells a rewritten or older journal."},
    {"admission", ConfigShape::single, "Who may enter under overload. Needs no tuning."},
    {"access.issuer", ConfigShape::array,
     "One table an identity provider. Patients and staff may have different ones."},
    {"upstream", ConfigShape::named,
     "One table a destination, `[upstream.NAME]`. A trial names destinations, never a URL."},
    {"limits", ConfigShape::single,
     "Limits on addresses, patients, callers and trials, off by default; `vesper limits set` "
     "changes them "
     "while the server runs."},
    {"log", ConfigShape::single, "Log lines on stdout."},
    {"shutdown", ConfigShape::single, "The way out."},
};

constexpr ConfigKey keys[] = {
    plain<&IntakeConfig::listen>("listen", address, "127.0.0.1:8080",
                                 "Address and port. Port 0 takes a free port."),
    numeric<&IntakeConfig::shards>("shards", "0", {0, 256, ""},
                                   "Event loops, each with its own listener. 0: one a core."),
    live(numeric<&IntakeConfig::connections_max>(
        "connections_max", "16384", {1, 1'000'000, "connections"},
        "Open connections over all shards. One more is closed at once.")),
    live(numeric<&IntakeConfig::bytes_in_flight_max>(
        "bytes_in_flight_max", "0", {0, tib, "bytes"},
        "Heads and bodies held in memory at once, at least 1 MiB. Past it the answer is 503. 0: an "
        "eighth of the memory of the machine or its control group.")),
    plain<&IntakeConfig::trusted_proxies>(
        "trusted_proxies", texts, "",
        "Networks of proxies, as `10.0.0.0/8`, whose word about the client's address is believed."),
    among<&IntakeConfig::client_header>(
        "client_header", choice, "X-Forwarded-For", "X-Forwarded-For Forwarded",
        "Where they say it. The rightmost address that is not a trusted proxy's counts."),
    numeric<&IntakeConfig::target_max_bytes>(
        "target_max_bytes", "8192", {256, 64 * kib, "bytes"},
        "Length of a request line. Past it the answer is 414."),
    numeric<&IntakeConfig::header_max_bytes>(
        "header_max_bytes", "16384", {kib, mib, "bytes"},
        "Length of a request's head. Past it the answer is 431."),
    numeric<&IntakeConfig::header_fields_max>(
        "header_fields_max", "64", {8, 64, "fields"},
        "Header fields of a request. Past it the answer is 431."),
    numeric<&IntakeConfig::body_max_bytes>("body_max_bytes", "1048576", {kib, 64 * mib, "bytes"},
                                           "Length of a diary. Past it the answer is 413."),
    numeric<&IntakeConfig::header_timeout>(
        "header_timeout_ms", "10000", {10, hour_ms, "ms"},
        "From the first byte of a request to the end of its head. Past it: 408."),
    numeric<&IntakeConfig::idle_timeout>(
        "idle_timeout_ms", "75000", {10, 24 * hour_ms, "ms"},
        "Between requests of a kept connection. Past it the connection is closed."),
    numeric<&IntakeConfig::write_timeout>(
        "write_timeout_ms", "10000", {10, hour_ms, "ms"},
        "For the client to take an answer. Past it the connection is closed."),
    numeric<&IntakeConfig::request_deadline>(
        "request_deadline_ms", "10000", {10, hour_ms, "ms"},
        "From the last byte of a diary to its commit. Past it the answer is 503."),
    numeric<&IntakeConfig::body_rate_min_bytes_per_s>(
        "body_rate_min_bytes_per_s", "1024", {1, gib, "bytes/s"},
        "Slowest body taken, after `body_grace_ms`. Below it the answer is 408."),
    numeric<&IntakeConfig::body_grace>("body_grace_ms", "5000", {10, hour_ms, "ms"},
                                       "Time before a body's rate is judged."),
    plain<&IntakeConfig::tls_certificate>(
        "tls_certificate", path, "",
        "Certificate chain, PEM. With `tls_key`: the port speaks HTTPS only."),
    plain<&IntakeConfig::tls_key>(
        "tls_key", path, "", "Private key of the certificate, PEM, readable by its owner only."),
    plain<&AdminConfig::listen>(
        "listen", address, "127.0.0.1:6060",
        "Address and port. Other than loopback only with `authentication = \"token\"`."),
    among<&AdminConfig::authentication>(
        "authentication", choice, "none", "none token",
        "`token`: every route but health needs a token with scope `ops`."),
    plain<&AdminConfig::allowed_hosts>(
        "allowed_hosts", texts, "",
        "Host names, beside loopback, that may stand in a request's Host."),
    numeric<&AdminConfig::connections_max>("connections_max", "64", {1, 10'000, "connections"},
                                           "Open connections."),
    plain<&JournalConfig::sqlite_file>("url", journal_url, "sqlite:data/vesper.db",
                                       "`sqlite:FILE`. The folder is made."),
    numeric<&JournalConfig::batch_entries_max>(
        "batch_entries_max", "512", {1, 65'536, "diaries"},
        "Diaries of one commit group; it takes what came during the last commit."),
    numeric<&JournalConfig::batch_max_bytes>(
        "batch_max_bytes", "8388608", {64 * kib, gib, "bytes"},
        "Bytes of one commit group; one larger diary is a group of its own."),
    numeric<&JournalConfig::batch_wait>(
        "batch_wait_us", "1000", {0, 100'000, "us"},
        "How long a busy journal waits for more before it takes a group; an idle one never waits."),
    numeric<&JournalConfig::read_threads>("read_threads", "2", {1, 64, "threads"},
                                          "Threads that read stored diaries."),
    numeric<&JournalConfig::queue_entries_max>(
        "queue_entries_max", "8192", {1, 1'000'000, "diaries"},
        "Diaries waiting for their group. Past it the answer is 503."),
    numeric<&JournalConfig::pace_per_s>(
        "pace_per_s", "0", {0, 1'000'000, "diaries/s"},
        "Commits at most so many, as a slower disk would, in groups of at most 10 ms; 0: as fast "
        "as it can. For drills and benchmarks only."),
    numeric<&JournalConfig::disk_reserve_bytes>("disk_reserve_bytes", "268435456",
                                                {16 * mib, 100 * tib, "bytes"},
                                                "Free space of the journal's disk below which the "
                                                "answer is 507; 1 % of it if that is more."),
    plain<&ReceiptsConfig::key>(
        "key", path, "",
        "Private key, PEM, Ed25519 or P-256, readable by its owner only. Without: "
        "`JOURNAL.receipt-key.pem`, made at the first start."),
    among<&ReceiptsConfig::algorithm>("algorithm", choice, "EdDSA", "EdDSA ES256",
                                      "Of a key that is made at the first start."),
    plain<&AnchorConfig::file>(
        "file", path, "", "File that anchors are appended to, best on another machine's disk."),
    plain<&AnchorConfig::url>("url", text, "", "http or https address that anchors are posted to."),
    numeric<&AnchorConfig::every>("every_s", "60", {1, day_s, "s"},
                                  "Longest time between anchors while diaries come."),
    numeric<&AnchorConfig::every_groups>(
        "every_groups", "0", {0, 1'000'000'000, "groups"},
        "Commit groups after which an anchor is written earlier. 0: by time alone."),
    numeric<&AnchorConfig::deadline>("deadline_ms", "5000", {10, 60'000, "ms"},
                                     "For one posting to `url`."),
    plain<&AnchorConfig::tls_ca>("tls_ca", path, "",
                                 "Certificates to trust at `url`, PEM. Without: the system's."),
    plain<&AnchorConfig::bearer_file>("bearer_file", path, "",
                                      "File with the bearer token for `url`."),
    live(plain<&AdmissionConfig::enabled>("enabled", flag, "true",
                                          "Refuses what cannot be served in time.")),
    live(numeric<&AdmissionConfig::wait_max>(
        "wait_max_ms", "100", {1, 60'000, "ms"},
        "A request's wait to be read; longer in a burst: 503.")),
    live(numeric<&AdmissionConfig::wait_overloaded_max>(
        "wait_overloaded_max_ms", "20", {1, 60'000, "ms"},
        "The same once the wait has stood for 80 ms; at most `wait_max_ms` counts.")),
    live(numeric<&AdmissionConfig::journal_wait_max>(
        "journal_wait_max_ms", "50", {1, 60'000, "ms"},
        "Predicted wait for the journal, beyond one commit of its disk, in a burst; twice as long "
        "when the disk itself is late; longer: 503.")),
    live(numeric<&AdmissionConfig::journal_wait_overloaded_max>(
        "journal_wait_overloaded_max_ms", "15", {1, 60'000, "ms"},
        "The same once the wait has stood for 40 ms; at most `journal_wait_max_ms` counts.")),
    live(numeric<&AdmissionConfig::refusal_share_percent>(
        "refusal_share_percent", "30", {1, 90, "%"},
        "Of the time for requests, under overload, to tell those that have no room.")),
    required(plain<&IssuerConfig::issuer>("issuer", text, "",
                                          "The `iss` of its tokens, compared byte for byte.")),
    required(
        plain<&IssuerConfig::audience>("audience", text, "", "What `aud` must be or contain.")),
    required(plain<&IssuerConfig::jwks>(
        "jwks", path_or_url, "", "JWK set: a file readable by its owner only, or an https URL.")),
    among<&IssuerConfig::scopes>(
        "scopes", choices, "patient", "patient site service trial-admin ops",
        "What this issuer may grant. A token's other scopes count for nothing."),
    among<&IssuerConfig::algorithms>("algorithms", text_map, "", "HS256 RS256 ES256 EdDSA",
                                     "Algorithm by kid, for keys that state no `alg`."),
    plain<&IssuerConfig::subject_claim>("subject_claim", text, "sub",
                                        "The claim that is a patient's subjectId."),
    numeric<&IssuerConfig::refresh>("refresh_s", "300", {1, day_s, "s"},
                                    "Age at which a key set is read again."),
    numeric<&IssuerConfig::refresh_floor>(
        "refresh_floor_s", "10", {1, day_s, "s"},
        "Least time between two reads, also when unknown kids ask for one."),
    numeric<&IssuerConfig::fetch_deadline>("fetch_deadline_ms", "5000", {100, 60'000, "ms"},
                                           "For one read of the https URL."),
    plain<&IssuerConfig::tls_ca>(
        "tls_ca", path, "", "Certificates to trust for the https URL, PEM. Without: the system's."),
    plain<&IssuerConfig::keys_kept>(
        "keys_kept", path, "",
        "File for the last good set of an https URL. Without: beside the journal."),
    required(plain<&UpstreamConfig::url>(
        "url", url, "",
        "Scheme, host, port and perhaps a first part of the path; `path` is appended.")),
    plain<&UpstreamConfig::path>("path", url_path, "/api/sync", "Path of the POST."),
    among<&UpstreamConfig::settle>(
        "settle", choice, "2xx", "2xx receipt",
        "What settles a delivery: any 2xx, or one that echoes key and content hash."),
    numeric<&UpstreamConfig::deadline>("deadline_ms", "5000", {10, 600'000, "ms"}, "For one try."),
    numeric<&UpstreamConfig::backoff_min>(
        "backoff_min_ms", "500", {1, hour_ms, "ms"},
        "Ceiling of the first wait after a failed try; it doubles, with full jitter."),
    numeric<&UpstreamConfig::backoff_max>("backoff_max_ms", "300000", {1, 24 * hour_ms, "ms"},
                                          "Ceiling of every wait."),
    numeric<&UpstreamConfig::retry_after_max>(
        "retry_after_max_ms", "3600000", {1000, 24 * hour_ms, "ms"},
        "A Retry-After of 429 or 503 is honoured up to this: nothing is sent before."),
    numeric<&UpstreamConfig::concurrency_max>(
        "concurrency_max", "64", {1, 4096, "deliveries"},
        "Deliveries, and connections, at once; fewer while the destination is slow or overloaded."),
    numeric<&UpstreamConfig::slow_from>(
        "slow_ms", "0", {0, 600'000, "ms"},
        "An answer that takes as long, and four times the typical, is slow to the breaker. 0: half "
        "of `deadline_ms`."),
    numeric<&UpstreamConfig::fault_percent_max>(
        "fault_percent_max", "80", {50, 100, "%"},
        "The breaker opens when more of the tries of 3 s fail, or are slow."),
    numeric<&UpstreamConfig::probe_every>("probe_every_ms", "1000", {100, 1000, "ms"},
                                          "While the breaker is open a try goes out as often."),
    numeric<&UpstreamConfig::retry_percent_max>(
        "retry_percent_max", "10", {0, 100, "%"},
        "Tries of diaries that failed while the destination works, over first tries."),
    numeric<&UpstreamConfig::retry_floor_per_s>("retry_floor_per_s", "10", {1, 1'000'000, "1/s"},
                                                "So many of them may go each second all the same."),
    numeric<&UpstreamConfig::rate_max_per_s>("rate_max_per_s", "0", {0, 1'000'000, "1/s"},
                                             "Tries a second. 0: no limit."),
    plain<&UpstreamConfig::allow_plain_http>("allow_plain_http", flag, "false",
                                             "Permits an http URL that is not loopback."),
    plain<&UpstreamConfig::bearer_file>("bearer_file", path, "",
                                        "File with a bearer token, read again when it changes."),
    plain<&UpstreamConfig::oauth2_token_url>("oauth2_token_url", url, "",
                                             "Token endpoint for client credentials."),
    plain<&UpstreamConfig::oauth2_client_id>("oauth2_client_id", text, "", "Client identifier."),
    secret(plain<&UpstreamConfig::oauth2_client_secret>("oauth2_client_secret", text, "",
                                                        "Client secret.")),
    plain<&UpstreamConfig::oauth2_scope>("oauth2_scope", text, "",
                                         "Scopes to ask for, separated by blanks."),
    plain<&UpstreamConfig::tls_ca>("tls_ca", path, "",
                                   "Certificates to trust, PEM. Without: the system's."),
    plain<&UpstreamConfig::tls_certificate>(
        "tls_certificate", path, "", "Client certificate, PEM, for mutual TLS. With `tls_key`."),
    plain<&UpstreamConfig::tls_key>("tls_key", path, "",
                                    "Private key of the client certificate, PEM."),
    live(numeric<&LimitsConfig::patient_per_minute>(
        "patient_per_minute", "0", {0, 1'000'000, "1/min"},
        "Diaries of one patient; past it the answer is 429. 0: no limit. A trial's own `rates` "
        "win.")),
    live(numeric<&LimitsConfig::patient_burst>(
        "patient_burst", "0", {0, 1'000'000, "diaries"},
        "Diaries of one patient at once. 0: 30, or the rate if that is more.")),
    live(numeric<&LimitsConfig::patient_per_day>(
        "patient_per_day", "0", {0, 1'000'000, "diaries"},
        "Diaries of one patient from 00:00 and from 12:00 UTC. 0: no limit.")),
    live(numeric<&LimitsConfig::caller_per_s>(
        "caller_per_s", "0", {0, 1'000'000, "1/s"},
        "Requests of one site or service; past it the answer is 429. 0: no limit.")),
    live(numeric<&LimitsConfig::trial_per_s>(
        "trial_per_s", "0", {0, 1'000'000, "1/s"},
        "Diaries of one trial; past it the answer is 429. 0: no limit.")),
    live(numeric<&LimitsConfig::trial_burst>(
        "trial_burst", "0", {0, 1'000'000, "diaries"},
        "Diaries of one trial at once. 0: 30, or the rate if that is more.")),
    live(numeric<&LimitsConfig::submissions_max_per_s>(
        "submissions_max_per_s", "0", {0, 1'000'000, "1/s"},
        "Diaries of all callers; past it the answer is 503. 0: no limit.")),
    live(numeric<&LimitsConfig::reads_max_per_s>(
        "reads_max_per_s", "0", {0, 1'000'000, "1/s"},
        "Look-ups of all callers; past it the answer is 503. 0: no limit.")),
    live(numeric<&LimitsConfig::exports_max_per_s>(
        "exports_max_per_s", "0", {0, 1'000'000, "1/s"},
        "Bulk reads of all callers; past it the answer is 503. 0: no limit.")),
    live(numeric<&LimitsConfig::cold_checks_percent>(
        "cold_checks_percent", "70", {1, 100, "%"},
        "Of a shard's time, for signatures of tokens that it has not seen before.")),
    live(numeric<&LimitsConfig::cold_checks_crowded_percent>(
        "cold_checks_crowded_percent", "30", {1, 100, "%"},
        "The same while requests are refused for want of room.")),
    live(numeric<&LimitsConfig::address_per_s>(
        "address_per_s", "0", {0, 1'000'000, "1/s"},
        "Requests of one client address, or one /64 of IPv6; past it the answer is 429. 0: no "
        "limit.")),
    live(numeric<&LimitsConfig::address_burst>(
        "address_burst", "0", {0, 1'000'000, "requests"},
        "Requests of one client address at once. 0: 30, or the rate if that is more.")),
    live(numeric<&LimitsConfig::address_connections_max>(
        "address_connections_max", "0", {0, 1'000'000, "connections"},
        "Open connections of one peer address, or one /64 of IPv6; past it: 429. 0: no limit.")),
    live(numeric<&LimitsConfig::connection_per_s>(
        "connection_per_s", "0", {0, 1'000'000, "1/s"},
        "Requests of one connection; past it the answer is 429. 0: no limit.")),
    live(numeric<&LimitsConfig::connection_burst>(
        "connection_burst", "0", {0, 1'000'000, "requests"},
        "Requests of one connection at once. 0: 30, or the rate if that is more.")),
    live(plain<&LimitsConfig::dry_run>(
        "dry_run", flag, "false", "Count what these limits would refuse, and refuse nothing.")),
    live(plain<&LimitsConfig::fair_shares>(
        "fair_shares", flag, "true",
        "Under overload a trial inside its share is not refused because of another.")),
    live(plain<&LimitsConfig::degrade_automatically>(
        "degrade_automatically", flag, "true",
        "Give up exports, then reads, then derivation, while overload lasts.")),
    live(among<&LogConfig::level>("level", choice, "info", "debug info warn error",
                                  "Lines below it are not written.")),
    numeric<&LogConfig::queue_max_bytes>(
        "queue_max_bytes", "1048576", {4 * kib, gib, "bytes"},
        "Lines waiting for a slow reader. Past it lines are dropped and counted."),
    numeric<&ShutdownConfig::deadline>("deadline_ms", "7000", {100, 8000, "ms"},
                                       "For requests in flight to end after SIGTERM or SIGINT."),
};

}  // namespace

std::span<const ConfigSection> config_sections() {
  return sections;
}
std::span<const ConfigKey> config_keys() {
  return keys;
}

const ConfigKey* find_config_key(std::string_view section, std::string_view name) {
  const auto it = std::ranges::find_if(
      keys, [&](const ConfigKey& key) { return key.section == section && key.name == name; });
  return it == std::end(keys) ? nullptr : &*it;
}

}  // namespace vesper
