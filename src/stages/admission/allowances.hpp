#pragma once
#include <cstdint>
#include <string_view>

#include "base/random.hpp"
#include "base/sip_hash.hpp"
#include "model/allowance.hpp"
#include "stages/admission/allowance_table.hpp"
#include "stages/admission/limits.hpp"

namespace vesper::admission {

/// Verified names of one request: nobody else's allowance is looked at.
struct Names {
  std::string_view trial;    ///< empty: the token names several, and none is known yet
  std::string_view subject;  ///< patient, or who acts for others
  std::string_view issuer;
  bool patient = true;  ///< else site or service: its own rate, and the trial's, not a patient's
};

/// Requests of the same kind share an allowance; kinds do not.
enum class AllowanceKind : std::uint8_t { submissions, reads };

enum class OverRate : std::uint8_t {
  nothing,
  patient,
  patient_day,
  caller,
  trial,
  address,    ///< of the network, before anybody is known
  connection  ///< the same, of one connection
};

/// The bucket of a rate in `seconds`; where no burst is stated it is 30, or the rate if that is
/// more.
[[nodiscard]] BucketRule bucket_rule(double rate, double seconds, std::uint32_t burst);

struct Taken {
  OverRate why = OverRate::nothing;
  Duration wait{};  ///< until there is room; for a trial: until the slot booked for this caller
  Charge charge;    ///< what was taken, for give_back(); empty when `why` is something
};

/// Token buckets and quotas of patients, of sites and services, and of trials.
///   Shape:  all or nothing: when one of them has no room, what was taken of the others goes back.
///           A site's posts on behalf of a patient are the site's, so it cannot spend hers.
///           Callers refused for their trial's rate get slots of it, one after the other, so that
///           they do not all return at once.
///   Bounds: names_max of AllowanceTable; burst is 30 or the rate, whichever is more, where no
///           burst is stated: a phone may flush a month after a time without network.
///   Thread: any; no lock, no allocation. A request of the same name that overlaps one which fails
///           later may be refused for what is about to be given back.
class Allowances {
 public:
  static constexpr std::size_t names_max = 1 << 18;

  explicit Allowances(HashSeed seed) : seed_(seed) {}

  [[nodiscard]] Taken take(const Names& names, AllowanceKind kind, const RateLimits& limits,
                           Instant now, WallTime wall);
  /// A replay, or a request that the server could not serve, has cost nothing.
  void give_back(const Charge& charge, Instant now, WallTime wall);
  [[nodiscard]] std::uint64_t evictions() const {
    return buckets_.evictions() + quotas_.evictions();
  }

 private:
  [[nodiscard]] std::uint64_t name_of(std::string_view what, std::string_view a, std::string_view b,
                                      AllowanceKind kind) const;

  HashSeed seed_;
  AllowanceTable buckets_{names_max}, quotas_{names_max};
};

}  // namespace vesper::admission
