#include "io/sqlite/verify_chain.hpp"

#include <fmt/format.h>
#include <sqlite3.h>

#include <cstring>
#include <unordered_map>

namespace vesper {
namespace {

WallTime wall(std::int64_t ms) {
  return WallTime{std::chrono::milliseconds{ms}};
}

/// A stored number that must fit: one that does not was never written by this program.
bool fits_byte(std::int64_t number) {
  return number >= 0 && number <= 255;
}

/// Recomputes leaves from rows. Statements run side by side in the order of the chain.
class ChainReader {
 public:
  ChainReader(Connection& connection, const JournalRules& rules, const ReceiptKeyTable& keys,
              const ChainEnd& from, DiaryObserver* observer)
      : rules_(rules),
        observer_(observer),
        keys_(keys),
        last_event_(from.last_event),
        last_conflict_(from.last_conflict),
        diaries_(connection.prepare(
            "SELECT position,commit_group,context,disposition,held_reason,flags,received_at,"
            "submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,caller_subject,"
            "amends,source,format FROM diaries WHERE position>=?1 ORDER BY position")),
        events_(connection.prepare(
            "SELECT commit_group,at,action,actor,target,reason,attachment,salt,format,id "
            "FROM audit WHERE id>?1 ORDER BY id")),
        conflicts_(connection.prepare(
            "SELECT commit_group,position,received_at,content_hash,jti,caller_subject,context,"
            "source,salt,id FROM conflicts WHERE id>?1 AND commit_group IS NOT NULL ORDER BY id")),
        context_(connection.prepare("SELECT encoding FROM contexts WHERE id=?1")),
        document_(connection.prepare("SELECT document,published_by,reason,published_at FROM trials "
                                     "WHERE trial_id||'#'||revision=?1")) {
    more_diaries_ = diaries_.bind(1, static_cast<std::int64_t>(from.next_position)).step();
    more_events_ = events_.bind(1, last_event_).step();
    more_conflicts_ = conflicts_.bind(1, last_conflict_).step();
  }

  /// Appends the leaves of `group`; false when a row contradicts it.
  bool leaves_of(std::uint64_t group, Position first, std::uint64_t count,
                 std::vector<Hash>& leaves) {
    for (Position position = first; position < first + count; ++position) {
      if (!more_diaries_ || static_cast<Position>(diaries_.integer(0)) != position ||
          static_cast<std::uint64_t>(diaries_.integer(1)) != group || !diary_leaf(leaves))
        return false;
      more_diaries_ = diaries_.step();
    }
    const auto number = static_cast<std::int64_t>(group);
    for (; more_events_ && events_.integer(0) <= number; more_events_ = events_.step())
      if (events_.integer(0) != number || events_.integer(9) != ++last_event_ ||
          !event_leaf(leaves))
        return false;
    for (; more_conflicts_ && conflicts_.integer(0) <= number; more_conflicts_ = conflicts_.step())
      if (conflicts_.integer(0) != number || !conflict_leaf(leaves)) return false;
    return true;
  }
  /// What is left when there are no more groups; empty: nothing.
  [[nodiscard]] std::string_view left_over() const {
    if (more_diaries_) return "a diary belongs to no commit group";
    if (more_events_) return "an audit event belongs to no commit group";
    return more_conflicts_ ? "a conflict belongs to no commit group" : "";
  }
  [[nodiscard]] std::int64_t last_event() const { return last_event_; }
  [[nodiscard]] std::int64_t last_conflict() const { return last_conflict_; }

 private:
  bool diary_leaf(std::vector<Hash>& leaves) {
    const auto& row = diaries_;
    const auto format = row.integer(17);
    if (!fits_byte(row.integer(3)) || !fits_byte(row.integer(4)) || !fits_byte(row.integer(5)) ||
        (format != 1 && format != 2))
      return false;
    // A sender who is the subject is stored as nothing: any other way was not written by us.
    if (!row.is_null(14) && row.bytes(14) == row.bytes(11)) return false;
    caller_.jti = row.bytes(13);
    caller_.subject = row.is_null(14) ? row.bytes(11) : row.bytes(14);
    JournalEntry entry;
    entry.submission_id = Uuid{row.exactly<16>(7)};
    entry.delivery_id = Uuid{row.exactly<16>(8)};
    entry.content_hash = row.exactly<32>(10);
    entry.received_at = wall(row.integer(6));
    entry.disposition = static_cast<Disposition>(row.integer(3));
    entry.held_reason = static_cast<HeldReason>(row.integer(4));
    entry.flags = static_cast<std::uint8_t>(row.integer(5));
    entry.subject_id = PatientText{row.bytes(11)};
    entry.authored = PatientText{row.bytes(12)};
    entry.caller = &caller_;
    if (!row.is_null(15)) entry.amends = Uuid{row.exactly<16>(15)};
    if (rules_.content_hash(row.bytes(16)) != entry.content_hash) return false;
    const std::string* context = context_of(row.integer(2));
    if (context == nullptr) return false;
    leaves.push_back(rules_.leaf(row.exactly<16>(9), digest_of(entry, *context, format)));
    if (observer_ != nullptr)
      observer_->see({static_cast<Position>(row.integer(0)), entry.submission_id, entry.delivery_id,
                      entry.disposition, row.integer(2), *context});
    return true;
  }

  Hash digest_of(const JournalEntry& entry, std::string_view context, std::int64_t format) {
    encoding_.clear();
    if (format == 1)
      rules_.encode_head(entry, encoding_);
    else
      rules_.encode_rest(entry, encoding_);
    encoding_.append(context);
    const Hash hash = rules_.content_hash(encoding_);
    if (format == 1) return hash;
    facts_.submission_id = entry.submission_id;
    facts_.delivery_id = entry.delivery_id;
    facts_.received_at = entry.received_at;
    facts_.content_hash = entry.content_hash;
    facts_.disposition = entry.disposition;
    facts_.flags = entry.flags;
    facts_.rest = hash;
    return rules_.entry_digest(facts_);
  }

  bool event_leaf(std::vector<Hash>& leaves) {
    const auto& row = events_;
    if (row.integer(8) != 1) return false;
    const AuditEvent event{std::string{row.bytes(2)}, std::string{row.bytes(3)},
                           std::string{row.bytes(4)}, std::string{row.bytes(5)},
                           wall(row.integer(1))};
    const Hash attachment = row.exactly<32>(6);
    if (event.action == "trial.publish" && !published(event, attachment)) return false;
    if (event.action == "receipt-key.use" && !taken_into_use(event, attachment)) return false;
    encoding_.clear();
    rules_.encode_event(event, attachment, encoding_);
    leaves.push_back(rules_.leaf(row.exactly<16>(7), rules_.content_hash(encoding_)));
    return true;
  }

  bool published(const AuditEvent& event, const Hash& attachment) {
    const RowGuard guard(document_);
    return document_.bind_text(1, event.target).step() &&
           rules_.content_hash(document_.bytes(0)) == attachment &&
           document_.bytes(1) == event.actor && document_.bytes(2) == event.reason &&
           wall(document_.integer(3)) == event.at;
  }

  bool taken_into_use(const AuditEvent& event, const Hash& attachment) {
    const auto group = static_cast<std::uint64_t>(events_.integer(0));
    for (const auto& key : keys_.all())
      if (key->kid == event.target)
        return key->first_group == group && key->made_at == event.at &&
               key->algorithm == event.reason && rules_.key_id(*key) == key->kid &&
               rules_.content_hash(key->public_key) == attachment;
    return false;
  }

  bool conflict_leaf(std::vector<Hash>& leaves) {
    const auto& row = conflicts_;
    const Hash hash = row.exactly<32>(3);
    if (row.integer(9) != ++last_conflict_ || rules_.content_hash(row.bytes(7)) != hash)
      return false;
    encoding_.clear();
    rules_.encode_conflict({static_cast<Position>(row.integer(1)), wall(row.integer(2)), hash,
                            row.bytes(4), row.bytes(5), row.bytes(6)},
                           encoding_);
    leaves.push_back(rules_.leaf(row.exactly<16>(8), rules_.content_hash(encoding_)));
    return true;
  }

  const std::string* context_of(std::int64_t id) {
    const auto it = contexts_.find(id);
    if (it != contexts_.end()) return &it->second;
    if (contexts_.size() >= 8192) contexts_.clear();
    const RowGuard guard(context_);
    if (!context_.bind(1, id).step()) return nullptr;
    return &contexts_.emplace(id, context_.bytes(0)).first->second;
  }

  const JournalRules& rules_;
  DiaryObserver* observer_;
  const ReceiptKeyTable& keys_;
  std::int64_t last_event_, last_conflict_;
  Statement diaries_, events_, conflicts_, context_, document_;
  bool more_diaries_ = false, more_events_ = false, more_conflicts_ = false;
  std::string encoding_;
  Caller caller_;
  ReceiptFacts facts_;
  std::unordered_map<std::int64_t, std::string> contexts_;
};

/// One row of groups against what the reader finds, and its signature.
class GroupVerifier {
 public:
  GroupVerifier(const JournalRules& rules, const ReceiptKeyTable& keys, Uuid chain_id,
                ChainReader& reader, SignatureCheck check)
      : rules_(rules), keys_(keys), chain_id_(chain_id), reader_(reader), check_(check) {}

  /// Moves `end` past the group. What is wrong with it; empty: nothing.
  std::string_view verify(const Statement& row, ChainEnd& end) {
    const auto number = static_cast<std::uint64_t>(row.integer(0));
    if (number != end.group + 1) return "a group before it is missing";
    const auto first = static_cast<Position>(row.integer(1));
    const auto diaries = static_cast<std::uint64_t>(row.integer(2));
    if (first != end.next_position) return "its first position is not the next one";
    leaves_.clear();
    if (!reader_.leaves_of(number, first, diaries, leaves_))
      return "an entry is missing or was changed";
    if (leaves_.empty() || leaves_.size() != static_cast<std::size_t>(row.integer(3)))
      return "the number of its entries";
    const std::size_t count = leaves_.size();
    if (!leaves_are_kept(row)) return "the leaves that are kept for its proofs";
    rules_.grow_tree(leaves_);
    const GroupSeal seal{.previous = end.carried,
                         .root = leaves_.back(),
                         .number = number,
                         .count = static_cast<std::uint32_t>(count),
                         .first_position = first,
                         .committed_at = wall(row.integer(4))};
    end.link = row.exactly<32>(5);
    if (rules_.link(seal) != end.link) return "its link";
    end.carried = end.link;
    end.group = number;
    end.next_position = first + diaries;
    end.last_event = reader_.last_event();
    end.last_conflict = reader_.last_conflict();
    return verify_signature(row, end);
  }

  /// The signature of the last group of a key.
  std::string_view verify_last(ChainEnd& end) {
    if (end.last_key == 0 || verified_ == end.group || last_.group != end.group) return {};
    return verify_now(end);
  }

 private:
  // Groups stored before receipts were signed keep none.
  bool leaves_are_kept(const Statement& row) const {
    if (row.is_null(8)) return row.is_null(6);
    const auto kept = row.bytes(8);
    return kept.size() == leaves_.size() * sizeof(Hash) &&
           std::memcmp(kept.data(), leaves_.data(), kept.size()) == 0;
  }

  std::string_view verify_signature(const Statement& row, ChainEnd& end) {
    const bool was_signed = end.last_key != 0;
    if (row.is_null(6) && row.is_null(7) && !was_signed) return {};
    const auto key = keys_.find(row.integer(6));
    if (key == nullptr || row.is_null(7)) return "it has no signature, or by a key nobody knows";
    if (row.integer(6) != end.last_key) {
      if (row.integer(6) != end.last_key + 1 || key->first_group != end.group)
        return "the key that signed it was not in force";
      if (was_signed && last_.group != 0 && verified_ != last_.group && !verify_now(end).empty())
        return "the last signature of the key before";
    } else if (key->last_group != 0 && end.group > key->last_group) {
      return "the key that signed it was no longer in force";
    }
    end.last_key = row.integer(6);
    last_ = {chain_id_, end.group, end.link};
    last_key_ = key;
    signature_ = row.exactly<sizeof(Signature)>(7);
    end.carried = rules_.carried(end.link, key->kid, signature_);
    ++end.signed_groups;
    return check_ == SignatureCheck::every ? verify_now(end) : std::string_view{};
  }

  std::string_view verify_now(ChainEnd& end) {
    verified_ = last_.group;
    ++end.signatures;
    return rules_.verify_link(*last_key_, last_, signature_) ? std::string_view{} : "its signature";
  }

  const JournalRules& rules_;
  const ReceiptKeyTable& keys_;
  const Uuid chain_id_;
  ChainReader& reader_;
  const SignatureCheck check_;
  std::vector<Hash> leaves_;
  ReceiptKeyTable::Shared last_key_;
  LinkStatement last_;
  Signature signature_{};
  std::uint64_t verified_ = 0;
};

}  // namespace

std::expected<ChainEnd, std::string> verify_chain(Connection& connection, const JournalRules& rules,
                                                  const ReceiptKeyTable& keys, Uuid chain_id,
                                                  ChainEnd from, SignatureCheck check,
                                                  DiaryObserver* observer) {
  ChainReader reader(connection, rules, keys, from, observer);
  GroupVerifier verifier(rules, keys, chain_id, reader, check);
  auto groups = connection.prepare(
      "SELECT number,first_position,diaries,count,committed_at,link,receipt_key,signature,leaves "
      "FROM groups WHERE number>?1 ORDER BY number");
  groups.bind(1, static_cast<std::int64_t>(from.group));
  ChainEnd end = from;
  const auto broken = [](std::uint64_t number, std::string_view what) {
    return std::unexpected(fmt::format("commit group {} does not verify: {}", number, what));
  };
  while (groups.step()) {
    const auto number = static_cast<std::uint64_t>(groups.integer(0));
    if (const auto fault = verifier.verify(groups, end); !fault.empty())
      return broken(number, fault);
  }
  if (const auto fault = verifier.verify_last(end); !fault.empty()) return broken(end.group, fault);
  if (const auto left = reader.left_over(); !left.empty())
    return std::unexpected(std::string{left});
  return end;
}

}  // namespace vesper
