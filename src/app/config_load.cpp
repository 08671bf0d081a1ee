#include "app/config_load.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <set>

#include "app/config_draft.hpp"
#include "app/url.hpp"
#include "model/peer_address.hpp"

namespace vesper {
namespace {

void check_pair(ConfigFaults& faults, const std::string& place, bool certificate, bool key) {
  if (certificate != key)
    faults.push_back(fmt::format("{}.{}: missing; tls_certificate and tls_key go together", place,
                                 certificate ? "tls_key" : "tls_certificate"));
}

void check_url(ConfigFaults& faults, const std::string& key, const std::string& text,
               bool plain_allowed) {
  const auto url = parse_setting_url(text);
  if (url && !url->tls && !plain_allowed && !url->loopback())
    faults.push_back(fmt::format(
        "{} = \"{}\": must be https off loopback, unless allow_plain_http = true", key, text));
}

void check_upstream(ConfigFaults& faults, const UpstreamConfig& upstream) {
  const std::string place = "upstream." + upstream.name;
  check_url(faults, place + ".url", upstream.url, upstream.allow_plain_http);
  check_pair(faults, place, !upstream.tls_certificate.empty(), !upstream.tls_key.empty());
  const int oauth2 = !upstream.oauth2_token_url.empty() + !upstream.oauth2_client_id.empty() +
                     !upstream.oauth2_client_secret.empty();
  if (oauth2 != 0 && oauth2 != 3)
    faults.push_back(fmt::format(
        "{}: oauth2_token_url, oauth2_client_id and oauth2_client_secret go together", place));
  if (!upstream.oauth2_token_url.empty())
    check_url(faults, place + ".oauth2_token_url", upstream.oauth2_token_url,
              upstream.allow_plain_http);
  if (oauth2 != 0 && !upstream.bearer_file.empty())
    faults.push_back(fmt::format("{}: bearer_file and oauth2_* exclude each other", place));
  if (upstream.backoff_min > upstream.backoff_max)
    faults.push_back(fmt::format("{}.backoff_min_ms = {}: must be at most backoff_max_ms = {}",
                                 place, upstream.backoff_min.count(),
                                 upstream.backoff_max.count()));
}

constexpr std::uint64_t bytes_in_flight_least = 1 << 20;

void check_intake(ConfigFaults& faults, const IntakeConfig& intake) {
  check_pair(faults, "intake", !intake.tls_certificate.empty(), !intake.tls_key.empty());
  for (const std::string& network : intake.trusted_proxies)
    if (!parse_network(network))
      faults.push_back(fmt::format(
          "intake.trusted_proxies = \"{}\": must be a network such as 10.0.0.0/8 or 2001:db8::/32, "
          "with no bit set past its prefix",
          network));
  if (intake.bytes_in_flight_max != 0 && intake.bytes_in_flight_max < bytes_in_flight_least)
    faults.push_back(fmt::format("intake.bytes_in_flight_max = {}: must be 0 or at least {}",
                                 intake.bytes_in_flight_max, bytes_in_flight_least));
}

void check_issuers(ConfigFaults& faults, const Config& config) {
  std::set<std::string> seen;
  for (const IssuerConfig& issuer : config.issuers)
    if (!issuer.issuer.empty() && !seen.insert(issuer.issuer).second)
      faults.push_back(fmt::format(
          "access.issuer: issuer = \"{}\" stands in two tables; it must be unique", issuer.issuer));
}

// `VESPER__ACCESS__ISSUER__2__JWKS` with one table in the file is a slip, not a third issuer.
void check_gaps(ConfigDraft& draft) {
  std::set<int> indices;
  for (const auto& [place, values] : draft.tables()) {
    if (place.section != "access.issuer") continue;
    int index = 0;
    std::from_chars(place.instance.data(), place.instance.data() + place.instance.size(), index);
    indices.insert(index);
  }
  if (!indices.empty() && *indices.rbegin() + 1 != static_cast<int>(indices.size()))
    draft.fault(fmt::format("access.issuer.{}: there are {} issuers; the next one is number {}",
                            *indices.rbegin(), indices.size() - 1, indices.size() - 1));
}

}  // namespace

ConfigFaults check_config(const Config& config, const ConfigNeeds& needs) {
  ConfigFaults faults;
  check_intake(faults, config.intake);
  if (!config.admin.listen.loopback() && config.admin.authentication == AdminAuthentication::none)
    faults.push_back(fmt::format(
        "admin.listen = \"{}:{}\": must be a loopback address, unless admin.authentication = "
        "\"token\"",
        config.admin.listen.host, config.admin.listen.port));
  if (config.intake.listen == config.admin.listen && config.intake.listen.port != 0)
    faults.push_back(fmt::format("admin.listen = \"{}:{}\": must differ from intake.listen",
                                 config.admin.listen.host, config.admin.listen.port));
  if (needs.issuers && config.issuers.empty())
    faults.emplace_back(
        "access.issuer: missing; there must be at least one [[access.issuer]] table, or nobody can "
        "be let in (try --demo)");
  check_issuers(faults, config);
  for (const UpstreamConfig& upstream : config.upstreams) check_upstream(faults, upstream);
  return faults;
}

std::expected<Config, ConfigFaults> load_config(const std::optional<std::filesystem::path>& file,
                                                const ConfigEnvironment& environment,
                                                const ConfigNeeds& needs) {
  ConfigFaults faults;
  std::error_code ignored;
  const auto whole = std::filesystem::absolute(file.value_or("vesper.toml"), ignored);
  ConfigDraft draft{whole.parent_path(), faults};
  if (file) draft_toml(whole, draft);
  draft_environment(environment, draft);
  check_gaps(draft);
  Config config = draft.finish();
  if (faults.empty()) faults = check_config(config, needs);
  if (!faults.empty()) return std::unexpected(std::move(faults));
  return config;
}

}  // namespace vesper
