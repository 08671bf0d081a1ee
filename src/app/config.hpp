#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "ports/log.hpp"

namespace vesper {

/// Where a port is opened. Port 0 takes a free one.
struct ListenAddress {
  std::string host;  ///< a numeric IPv4 or IPv6 address, without brackets
  std::uint16_t port = 0;
  [[nodiscard]] bool loopback() const;
  friend bool operator==(const ListenAddress&, const ListenAddress&) = default;
};

enum class ClientHeaderConfig : std::uint8_t { x_forwarded_for, forwarded };

struct IntakeConfig {
  ListenAddress listen;
  std::uint32_t shards = 0;  ///< 0: one a core
  std::uint32_t connections_max = 0;
  std::uint64_t bytes_in_flight_max = 0;  ///< 0: derived from the memory there is
  std::vector<std::string> trusted_proxies;
  ClientHeaderConfig client_header = ClientHeaderConfig::x_forwarded_for;
  std::uint32_t target_max_bytes = 0;
  std::uint32_t header_max_bytes = 0;
  std::uint32_t header_fields_max = 0;
  std::uint32_t body_max_bytes = 0;
  std::chrono::milliseconds header_timeout{}, idle_timeout{}, write_timeout{}, request_deadline{};
  std::uint32_t body_rate_min_bytes_per_s = 0;
  std::chrono::milliseconds body_grace{};
  std::filesystem::path tls_certificate, tls_key;  ///< both or neither
};

enum class AdminAuthentication : std::uint8_t { none, token };

struct AdminConfig {
  ListenAddress listen;
  AdminAuthentication authentication = AdminAuthentication::none;
  std::vector<std::string> allowed_hosts;
  std::uint32_t connections_max = 0;
};

struct JournalConfig {
  std::filesystem::path sqlite_file;  ///< from `url`
  std::uint32_t batch_entries_max = 0;
  std::uint64_t batch_max_bytes = 0;
  std::chrono::microseconds batch_wait{};
  std::uint32_t queue_entries_max = 0;
  std::uint32_t read_threads = 0;
  std::uint32_t pace_per_s = 0;
  std::uint64_t disk_reserve_bytes = 0;
};

enum class ReceiptAlgorithmConfig : std::uint8_t { eddsa, es256 };

struct ReceiptsConfig {
  std::filesystem::path key;  ///< empty: beside the journal
  ReceiptAlgorithmConfig algorithm = ReceiptAlgorithmConfig::eddsa;
};

struct AnchorConfig {
  std::filesystem::path file;  ///< empty: none
  std::string url;             ///< empty: none
  std::chrono::seconds every{};
  std::uint32_t every_groups = 0;  ///< 0: by time alone
  std::chrono::milliseconds deadline{};
  std::filesystem::path tls_ca, bearer_file;
};

struct IssuerConfig {
  std::string issuer, audience;
  std::string jwks;  ///< an absolute file path or an https URL
  [[nodiscard]] bool remote_keys() const { return jwks.starts_with("https://"); }
  std::vector<std::string> scopes;
  std::map<std::string, std::string> algorithms;  ///< kid to algorithm, for keys that state none
  std::string subject_claim;
  std::chrono::seconds refresh{}, refresh_floor{};
  std::chrono::milliseconds fetch_deadline{};
  std::filesystem::path tls_ca;
  std::filesystem::path keys_kept;  ///< last good set of a remote issuer; empty: beside the journal
};

enum class SettleConfig : std::uint8_t { any_2xx, receipt };

struct UpstreamConfig {
  std::string name;  ///< of the table
  std::string url, path;
  SettleConfig settle = SettleConfig::any_2xx;
  std::chrono::milliseconds deadline{}, backoff_min{}, backoff_max{}, retry_after_max{};
  std::chrono::milliseconds slow_from{}, probe_every{};  ///< slow_from 0: half of the deadline
  std::uint32_t fault_percent_max = 0, retry_percent_max = 0, retry_floor_per_s = 0;
  std::uint32_t concurrency_max = 0;
  std::uint32_t rate_max_per_s = 0;  ///< 0: none
  bool allow_plain_http = false;
  std::filesystem::path bearer_file;
  std::string oauth2_token_url, oauth2_client_id, oauth2_client_secret, oauth2_scope;
  std::filesystem::path tls_ca, tls_certificate, tls_key;
};

/// Limits on verified names and on addresses; 0 is none. What an operator sets wins over them.
struct LimitsConfig {
  std::uint32_t address_per_s = 0, address_burst = 0, address_connections_max = 0;
  std::uint32_t connection_per_s = 0, connection_burst = 0;
  std::uint32_t patient_per_minute = 0, patient_burst = 0, patient_per_day = 0;
  std::uint32_t caller_per_s = 0, trial_per_s = 0, trial_burst = 0;
  std::uint32_t submissions_max_per_s = 0, reads_max_per_s = 0, exports_max_per_s = 0;
  std::uint32_t cold_checks_percent = 0, cold_checks_crowded_percent = 0;
  bool dry_run = false, fair_shares = false, degrade_automatically = false;
};

struct AdmissionConfig {
  bool enabled = true;
  std::chrono::milliseconds wait_max{}, wait_overloaded_max{};  ///< for the shard
  std::chrono::milliseconds journal_wait_max{}, journal_wait_overloaded_max{};
  std::uint32_t refusal_share_percent = 0;
};

struct LogConfig {
  LogLevel level = LogLevel::info;
  std::uint64_t queue_max_bytes = 0;
};

struct ShutdownConfig {
  std::chrono::milliseconds deadline{};
};

/// Everything a start decides, typed. Defaults come from the key table, never from here.
///   Units: durations are std::chrono; bytes and counts have the unit in their name.
struct Config {
  IntakeConfig intake;
  AdminConfig admin;
  JournalConfig journal;
  ReceiptsConfig receipts;
  AnchorConfig anchor;
  AdmissionConfig admission;
  std::vector<IssuerConfig> issuers;
  std::vector<UpstreamConfig> upstreams;  ///< in order of name
  LimitsConfig limits;
  LogConfig log;
  ShutdownConfig shutdown;
};

}  // namespace vesper
