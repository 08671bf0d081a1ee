#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time.hpp"
#include "model/journal.hpp"

namespace vesper {

/// Which 2xx replies of a destination count as taken.
enum class Settle : std::uint8_t { any_2xx, receipt };

/// One table `[upstream.NAME]`: where deliveries go, how fast, and with which credentials.
///   Shape: file names are absolute or relative to the configuration file, resolved by the reader
///   of the configuration. An empty text means "not used". At most one of bearer_file and
///   oauth_token_url is set.
struct UpstreamSettings {
  std::string name;                 ///< NAME
  std::string url;                  ///< http:// or https://, no query
  std::string path = "/api/sync";   ///< appended to url
  Settle settle = Settle::any_2xx;  ///< "2xx" or "receipt"
  bool allow_plain_http = false;    ///< http:// off loopback
  Duration deadline = 5s;           ///< of one try: connect, TLS, write, reply. 100 ms..5 min
  std::uint32_t concurrency = 64;   ///< tries in flight, also connections. 1..1024
  double rate_max_per_s = 0;        ///< tries a second; 0: no limit. 0..1e6
  double rate_burst = 0;            ///< tries at once after a quiet time; 0: one second's worth
  Duration retry_base = 500ms;      ///< full jitter over base * 2^n ...
  Duration retry_cap = 30s;         ///< ... up to this. base..1 h
  Duration retry_after_max = 1h;    ///< longer Retry-After are cut to this
  Duration slow_from{};             ///< an answer that takes as long is slow; 0: half of `deadline`
  double fault_share_max = 0.8;     ///< of the tries of 3 s; more opens the breaker
  Duration probe_every = 1s;        ///< at most, while it is open. 100 ms..1 s
  double retry_share_max = 0.1;     ///< tries after a failure at a working destination, of all
  double retry_floor_per_s = 10;    ///< ... but so many a second always
  Duration idle_max = 30s;          ///< a kept connection unused for longer is closed
  std::uint32_t window = 4096;      ///< entries held in memory. 64..65536
  std::string bearer_file;          ///< Authorization: Bearer, re-read when it changes
  std::string oauth_token_url;      ///< OAuth2 client credentials (RFC 6749, 4.4)
  std::string oauth_client_id;
  std::string oauth_client_secret;       ///< or:
  std::string oauth_client_secret_file;  ///< re-read at every token request
  std::string oauth_scope;
  std::string ca_file;                     ///< trusted instead of the system's store
  std::string certificate_file, key_file;  ///< mutual TLS; re-read when they change
};

/// Shape: `bundle` is looked at until post() suspends for the first time; the rest outlives it.
struct UpstreamRequest {
  std::string_view destination;  ///< a name under [upstream.NAME]
  Uuid delivery_id;
  Hash content_hash{};
  std::string_view bundle;  ///< the transaction Bundle, JSON
  std::string_view traceparent;
  bool fresh = false;  ///< not over a kept connection
};

/// What came back. `status` 0: no answer; `trouble` says which. A reply whose body exceeded the
/// bound keeps its status, with trouble `too_large`. `stale`: the kept connection had been closed,
/// nothing was answered, and the bundle is needed again, with `fresh`.
struct UpstreamReply {
  enum class Trouble : std::uint8_t {
    none,
    refused,
    timed_out,
    cut,
    not_http,
    tls,
    credentials,
    too_large,
    stale
  };
  std::uint16_t status = 0;
  Trouble trouble = Trouble::none;
  std::string body;                                         ///< at most 64 KiB
  std::string content_type, idempotency_key, content_hash;  ///< reply headers, empty when absent
  std::string retry_after;                                  ///< header as sent
  std::string evidence_headers;                             ///< selected headers, at most 1 KiB
  Hash body_digest{};  ///< SHA-256 of the reply body, also of what exceeds `body`
};

}  // namespace vesper
