#include "app/settings.hpp"

#include <algorithm>

#include <algorithm>

#include "stages/access/claims.hpp"

namespace vesper {

HttpLimits intake_limits(const Config& config, const admission::DoorLimits& door) {
  const IntakeConfig& intake = config.intake;
  HttpLimits limits;
  limits.connections_max = door.connections_max;
  limits.bytes_in_flight_max = door.bytes_in_flight_max;
  limits.reading = admission::read_rules(door);
  limits.head.line_bytes_max = intake.target_max_bytes;
  limits.head.head_bytes_max = intake.header_max_bytes;
  limits.head.headers_max = intake.header_fields_max;
  limits.body_bytes_max = intake.body_max_bytes;
  limits.head_timeout = intake.header_timeout;
  limits.idle_timeout = intake.idle_timeout;
  limits.write_timeout = intake.write_timeout;
  limits.body_grace = intake.body_grace;
  limits.body_rate_min_bytes_per_s = intake.body_rate_min_bytes_per_s;
  return limits;
}

// Beside a body there are its diary, its entry and its answer, each about as large: half of the
// memory in all.
std::uint64_t bytes_in_flight_ceiling(std::uint64_t stated, std::uint64_t memory_bytes) {
  constexpr std::uint64_t least = 16ULL << 20, unknown = 256ULL << 20;
  if (stated != 0) return stated;
  return memory_bytes == 0 ? unknown : std::max(memory_bytes / 8, least);
}

admission::DoorLimits door_limits(const Config& config, std::uint64_t memory_bytes) {
  const AdmissionConfig& from = config.admission;
  return {.enabled = from.enabled,
          .wait_max = from.wait_max,
          .wait_overloaded_max = from.wait_overloaded_max,
          .journal_wait_max = from.journal_wait_max,
          .journal_wait_overloaded_max = from.journal_wait_overloaded_max,
          .refusal_share_percent = from.refusal_share_percent,
          .connections_max = config.intake.connections_max,
          .bytes_in_flight_max =
              bytes_in_flight_ceiling(config.intake.bytes_in_flight_max, memory_bytes)};
}

admission::ProxyTrust proxy_trust(const Config& config) {
  admission::ProxyTrust trust;
  for (const std::string& text : config.intake.trusted_proxies)
    if (const auto network = parse_network(text)) trust.networks.push_back(*network);
  if (config.intake.client_header == ClientHeaderConfig::forwarded)
    trust.header = admission::ClientHeader::forwarded;
  return trust;
}

HttpLimits admin_limits(const Config& config) {
  HttpLimits limits;
  limits.connections_max = config.admin.connections_max;
  limits.bytes_in_flight_max = 64u << 20;
  limits.reading.enabled = false;  // operators are never refused for load
  return limits;
}

IntakeSettings intake_settings(const Config& config, const admission::DoorLimits& door) {
  IntakeSettings settings;
  settings.body_limit_bytes = config.intake.body_max_bytes;
  settings.door = admission::door_rules(door);
  settings.proxies = proxy_trust(config);
  settings.submit_deadline = config.intake.request_deadline;
  return settings;
}

admission::Limits standard_limits(const Config& config, std::uint64_t memory_bytes) {
  const LimitsConfig& from = config.limits;
  const auto stated = [](std::uint32_t value) {
    return value == 0 ? std::nullopt : std::optional{value};
  };
  admission::Limits limits;
  limits.dry_run = from.dry_run;
  limits.standard.patient_per_minute = stated(from.patient_per_minute);
  limits.standard.patient_burst = stated(from.patient_burst);
  limits.standard.patient_per_day = stated(from.patient_per_day);
  limits.standard.caller_per_second = stated(from.caller_per_s);
  limits.standard.trial_per_second = stated(from.trial_per_s);
  limits.standard.trial_burst = stated(from.trial_burst);
  limits.ceilings = {static_cast<double>(from.submissions_max_per_s),
                     static_cast<double>(from.reads_max_per_s),
                     static_cast<double>(from.exports_max_per_s)};
  limits.address = {.requests_per_second = static_cast<double>(from.address_per_s),
                    .burst = from.address_burst,
                    .connections_max = from.address_connections_max,
                    .connection_requests_per_second = static_cast<double>(from.connection_per_s),
                    .connection_burst = from.connection_burst};
  limits.door = door_limits(config, memory_bytes);
  limits.cold_checks_percent = from.cold_checks_percent;
  limits.cold_checks_crowded_percent = from.cold_checks_crowded_percent;
  limits.fair_shares = from.fair_shares;
  limits.degrade_automatically = from.degrade_automatically;
  return limits;
}

std::string kept_limits_path(const Config& config) {
  return config.journal.sqlite_file.string() + ".limits.json";
}

AnchorSettings anchor_settings(const Config& config) {
  const AnchorConfig& from = config.anchor;
  return {.file = from.file.string(),
          .url = from.url,
          .every = from.every,
          .every_groups = from.every_groups,
          .deadline = from.deadline,
          .bearer_file = from.bearer_file.string()};
}

SqliteOptions journal_options(const Config& config) {
  SqliteOptions options;
  options.path = config.journal.sqlite_file.string();
  options.group_entries_max = config.journal.batch_entries_max;
  options.group_bytes_max = config.journal.batch_max_bytes;
  options.pace_per_s = config.journal.pace_per_s;
  // A paced group takes its entries' time: small groups, or all would wait for the largest.
  constexpr std::size_t groups_per_s = 100;
  if (options.pace_per_s != 0)
    options.group_entries_max = std::min(
        options.group_entries_max, std::max<std::size_t>(1, options.pace_per_s / groups_per_s));
  options.group_wait = config.journal.batch_wait;
  options.read_threads = config.journal.read_threads;
  options.queue_entries_max = config.journal.queue_entries_max;
  options.reserve_bytes = config.journal.disk_reserve_bytes;
  return options;
}

std::vector<UpstreamSettings> upstream_settings(const Config& config) {
  std::vector<UpstreamSettings> all;
  for (const UpstreamConfig& from : config.upstreams) {
    UpstreamSettings to;
    to.name = from.name;
    to.url = from.url;
    to.path = from.path;
    to.settle = from.settle == SettleConfig::receipt ? Settle::receipt : Settle::any_2xx;
    to.allow_plain_http = from.allow_plain_http;
    to.deadline = from.deadline;
    to.concurrency = from.concurrency_max;
    to.rate_max_per_s = from.rate_max_per_s;
    to.retry_base = from.backoff_min;
    to.retry_cap = from.backoff_max;
    to.retry_after_max = from.retry_after_max;
    to.slow_from = from.slow_from;
    to.probe_every = from.probe_every;
    to.fault_share_max = from.fault_percent_max / 100.0;
    to.retry_share_max = from.retry_percent_max / 100.0;
    to.retry_floor_per_s = from.retry_floor_per_s;
    to.bearer_file = from.bearer_file.string();
    to.oauth_token_url = from.oauth2_token_url;
    to.oauth_client_id = from.oauth2_client_id;
    to.oauth_client_secret = from.oauth2_client_secret;
    to.oauth_scope = from.oauth2_scope;
    to.ca_file = from.tls_ca.string();
    to.certificate_file = from.tls_certificate.string();
    to.key_file = from.tls_key.string();
    all.push_back(std::move(to));
  }
  return all;
}

std::vector<std::string> destination_names(const Config& config) {
  std::vector<std::string> names;
  for (const auto& upstream : config.upstreams) names.push_back(upstream.name);
  return names;
}

std::string kept_keys_path(const Config& config, const IssuerConfig& issuer) {
  if (!issuer.keys_kept.empty()) return issuer.keys_kept.string();
  std::string name;
  for (const char c : issuer.issuer)
    name += (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.'
                ? c
                : '_';
  return (config.journal.sqlite_file.parent_path() / ("keys-" + name + ".kept")).string();
}

access::IssuerRules issuer_rules(const IssuerConfig& issuer) {
  access::IssuerRules rules;
  rules.issuer = issuer.issuer;
  rules.audience = issuer.audience;
  rules.subject_claim = issuer.subject_claim;
  rules.grantable = {};
  for (const auto& name : issuer.scopes)
    if (const auto scope = access::scope_named(name)) rules.grantable.add(*scope);
  for (const auto& [kid, algorithm] : issuer.algorithms)
    if (const auto known = access::algorithm_named(algorithm))
      rules.algorithms.push_back({kid, *known});
  return rules;
}

}  // namespace vesper
