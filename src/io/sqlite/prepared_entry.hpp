#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "model/journal_rules.hpp"

namespace vesper {

/// A journal entry that owns its bytes, encoded and hashed: what the sender's shard can do before
/// the journal's thread has it.
///   Bounds: reused; keeps at most 4 KiB of room from one diary to the next.
class PreparedEntry {
 public:
  void assign(const JournalEntry& entry, const JournalRules& rules);

  [[nodiscard]] std::string_view context() const { return part(0); }
  [[nodiscard]] std::string_view source() const { return part(1); }
  [[nodiscard]] std::string_view subject_id() const { return part(2); }
  [[nodiscard]] std::string_view authored() const { return part(3); }
  [[nodiscard]] std::string_view jti() const { return part(4); }
  [[nodiscard]] std::string_view caller_subject() const { return part(5); }
  [[nodiscard]] std::size_t size() const { return bytes_.size(); }

  Uuid submission_id, delivery_id;
  Hash content_hash{};
  Hash rest{}, digest{};  ///< of the canonical encoding, format 2
  WallTime received_at;
  Disposition disposition = Disposition::accepted;
  HeldReason held_reason = HeldReason::none;
  std::uint8_t flags = 0;
  std::optional<Uuid> amends;
  std::uint64_t lane = 0;

 private:
  [[nodiscard]] std::string_view part(std::size_t index) const {
    return std::string_view(bytes_).substr(ends_[index], ends_[index + 1] - ends_[index]);
  }
  std::string bytes_;
  std::uint32_t ends_[7]{};
};

}  // namespace vesper
