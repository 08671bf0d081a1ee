#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/time.hpp"
#include "model/upstream.hpp"

namespace vesper::upstream {

/// What a reply means for the diary.
enum class Verdict : std::uint8_t { settled, parked, retry };

/// Why, as a closed set; stored with the entry and shown by `vesper outbox`.
enum class Reason : std::uint8_t {
  none,
  already_there,      ///< 409 with the hash or a receipt: an earlier try had been applied
  bad_request,        ///< 400
  gone,               ///< 410
  content_too_large,  ///< 413
  unsupported_media,  ///< 415
  unprocessable,      ///< 422
  not_derivable,      ///< the diary never becomes a bundle
  no_receipt,         ///< settle = "receipt", and the 2xx does not echo key and hash, or is a 202
  conflict,           ///< 409 that shows nothing
  redirected,         ///< 3xx: deliveries follow no redirect
  not_authorized,     ///< 401, 403, 407
  not_found,          ///< 404
  overloaded,         ///< 429, 503
  server_error,       ///< other 5xx
  unexpected_status,  ///< every other status
  refused,
  timed_out,
  cut,
  not_http,
  tls,
  credentials
};
[[nodiscard]] std::string_view name_of(Reason reason);

/// Whom a retry is blamed on: the destination (all its lanes pause) or this diary's lane alone.
enum class Blame : std::uint8_t { nobody, lane, destination };

struct Outcome {
  Verdict verdict = Verdict::retry;
  Reason reason = Reason::none;
  Blame blame = Blame::nobody;
  bool suspect = false;  ///< settled by a 2xx whose body is a web page: shown, not refused
  std::optional<Duration> retry_after{};
};

struct Expected {
  Settle settle = Settle::any_2xx;
  Uuid delivery_id;
  Hash content_hash{};
  Duration retry_after_max = 1h;
  WallTime now;  ///< for a Retry-After given as a date
};

/// Judges one reply as docs of the data platform say: 2xx settled (with `receipt` only if it echoes
/// key and hash, and never a 202); 409 settled if it echoes the hash or a receipt for this key;
/// 400, 410, 413, 415, 422 parked; everything else is tried again without limit.
///   Shape: an echo is a reply header (`Idempotency-Key`, `Vesper-Content-Hash`) or, in a JSON
///   body, a member `deliveryId` or `idempotencyKey`, and `contentHash`. A 409's receipt for this
///   key is a JSON body with `deliveryId`; the header alone may come from a first try in progress.
[[nodiscard]] Outcome judge(const UpstreamReply& reply, const Expected& expected);

/// Retry-After as whole seconds or as an HTTP date, cut to [0, longest].
///   Source: RFC 9110, 10.2.3 and 5.6.7 (all three date forms).
[[nodiscard]] std::optional<Duration> parse_retry_after(std::string_view text, WallTime now,
                                                        Duration longest);

}  // namespace vesper::upstream
