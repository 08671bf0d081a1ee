#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <vector>

#include "base/time.hpp"
#include "base/uuid.hpp"

namespace vesper::drill {

/// What a client was told about one try.
enum class Told : std::uint8_t {
  accepted,
  refused,  ///< an answer that says: not stored
  nothing   ///< no answer, or one that leaves it open: stored or not
};

/// What the ledger found; all but the first three must be zero.
struct LedgerVerdict {
  std::uint64_t acknowledged = 0, refused = 0;  ///< diaries; refused: and never anything else
  std::uint64_t open = 0;                       ///< diaries whose clients never learnt it
  std::uint64_t lost = 0;                       ///< acknowledged, and never took effect
  std::uint64_t doubled = 0;                    ///< took effect more than once
  std::uint64_t misordered = 0;  ///< took effect after one that the patient sent later
  std::uint64_t unexpected = 0;  ///< refused, or sent by nobody, and took effect all the same
  std::vector<Uuid> examples{};  ///< delivery ids, at most ten
  friend bool operator==(const LedgerVerdict&, const LedgerVerdict&) = default;
};

/// Holds what clients were told against what took effect at the data platform.
///   Shape:  delivery ids; a patient is a number. Times are of one clock, of any origin.
///   Order:  known where a patient's diary was acknowledged before her next one was first sent.
///   Thread: one owner.
class Ledger {
 public:
  void tried(std::uint32_t patient, const Uuid& delivery, Duration sent, Duration ended, Told told);

  /// `effects`: delivery ids in the order in which they took effect.
  [[nodiscard]] LedgerVerdict judge(std::span<const Uuid> effects) const;
  [[nodiscard]] std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  struct Diary {
    std::uint32_t patient = 0;
    Duration first_sent{}, acknowledged_at{};
    bool accepted = false, open = false;
  };
  using Places = std::map<Uuid, std::size_t>;
  void judge_order(const Places& places, LedgerVerdict& verdict) const;

  std::map<Uuid, Diary> diaries_;
  std::uint64_t acknowledged_ = 0;
};

}  // namespace vesper::drill
