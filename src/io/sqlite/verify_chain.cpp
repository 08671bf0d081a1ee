#include <fmt/format.h>
#include <sqlite3.h>

#include <unordered_map>

#include "io/sqlite/sqlite_journal.hpp"

namespace vesper {
namespace {

WallTime wall(std::int64_t ms) {
  return WallTime{std::chrono::milliseconds{ms}};
}

/// Recomputes leaves from rows. Statements run side by side in position order.
class ChainReader {
 public:
  ChainReader(Connection& connection, const JournalRules& rules, const ChainEnd& from)
      : rules_(rules),
        diaries_(connection.prepare(
            "SELECT position,commit_group,context,disposition,held_reason,flags,received_at,"
            "submission_id,delivery_id,salt,content_hash,subject_id,authored,jti,caller_subject,"
            "amends,source,format FROM diaries WHERE position>=?1 ORDER BY position")),
        events_(connection.prepare(
            "SELECT commit_group,at,action,actor,target,reason,attachment,salt,format FROM audit "
            "WHERE commit_group=?1 ORDER BY id")),
        context_(connection.prepare("SELECT encoding FROM contexts WHERE id=?1")),
        document_(
            connection.prepare("SELECT document FROM trials WHERE trial_id||'#'||revision=?1")) {
    diaries_.bind(1, static_cast<std::int64_t>(from.next_position));
    more_ = diaries_.step();
  }

  /// Appends the leaves of `group`; false when a row contradicts it.
  bool leaves_of(std::uint64_t group, Position first, std::uint64_t count,
                 std::vector<Hash>& leaves) {
    for (Position position = first; position < first + count; ++position) {
      if (!more_ || static_cast<Position>(diaries_.integer(0)) != position ||
          static_cast<std::uint64_t>(diaries_.integer(1)) != group || diaries_.integer(17) != 1)
        return false;
      if (!diary_leaf(leaves)) return false;
      more_ = diaries_.step();
    }
    events_.bind(1, static_cast<std::int64_t>(group));
    while (events_.step())
      if (!event_leaf(leaves)) {
        events_.reset();
        return false;
      }
    return true;
  }
  [[nodiscard]] bool more() const { return more_; }

 private:
  bool diary_leaf(std::vector<Hash>& leaves) {
    const auto& row = diaries_;
    Caller caller;
    caller.jti = row.bytes(13);
    caller.subject = row.is_null(14) ? row.bytes(11) : row.bytes(14);
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
    entry.caller = &caller;
    if (!row.is_null(15)) entry.amends = Uuid{row.exactly<16>(15)};
    if (rules_.content_hash(row.bytes(16)) != entry.content_hash) return false;
    const std::string* context = context_of(row.integer(2));
    if (context == nullptr) return false;
    encoding_.clear();
    rules_.encode_head(entry, encoding_);
    encoding_.append(*context);
    leaves.push_back(rules_.leaf(row.exactly<16>(9), rules_.content_hash(encoding_)));
    return true;
  }

  bool event_leaf(std::vector<Hash>& leaves) {
    const auto& row = events_;
    if (row.integer(8) != 1) return false;
    const AuditEvent event{std::string{row.bytes(2)}, std::string{row.bytes(3)},
                           std::string{row.bytes(4)}, std::string{row.bytes(5)},
                           wall(row.integer(1))};
    const Hash attachment = row.exactly<32>(6);
    if (event.action == "trial.publish") {
      const RowGuard guard(document_);
      if (!document_.bind_text(1, event.target).step() ||
          rules_.content_hash(document_.bytes(0)) != attachment)
        return false;
    }
    encoding_.clear();
    rules_.encode_event(event, attachment, encoding_);
    leaves.push_back(rules_.leaf(row.exactly<16>(7), rules_.content_hash(encoding_)));
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
  Statement diaries_, events_, context_, document_;
  bool more_ = false;
  std::string encoding_;
  std::unordered_map<std::int64_t, std::string> contexts_;
};

}  // namespace

std::expected<ChainEnd, std::string> verify_chain(Connection& connection, const JournalRules& rules,
                                                  ChainEnd from) {
  ChainReader reader(connection, rules, from);
  auto groups = connection.prepare(
      "SELECT number,first_position,diaries,count,committed_at,link FROM groups WHERE number>?1 "
      "ORDER BY number");
  groups.bind(1, static_cast<std::int64_t>(from.group));
  std::vector<Hash> leaves;
  ChainEnd end = from;
  while (groups.step()) {
    const auto number = static_cast<std::uint64_t>(groups.integer(0));
    const auto broken = [&](std::string_view what) {
      return std::unexpected(fmt::format("commit group {} does not verify: {}", number, what));
    };
    if (number != end.group + 1) return broken("a group before it is missing");
    const auto first = static_cast<Position>(groups.integer(1));
    const auto diaries = static_cast<std::uint64_t>(groups.integer(2));
    if (first != end.next_position) return broken("its first position is not the next one");
    leaves.clear();
    if (!reader.leaves_of(number, first, diaries, leaves))
      return broken("an entry is missing or was changed");
    if (leaves.empty() || leaves.size() != static_cast<std::size_t>(groups.integer(3)))
      return broken("the number of its entries");
    const GroupSeal seal{.previous = end.link,
                         .root = rules.root(leaves),
                         .number = number,
                         .count = static_cast<std::uint32_t>(leaves.size()),
                         .first_position = first,
                         .committed_at = wall(groups.integer(4))};
    if (rules.link(seal) != groups.exactly<32>(5)) return broken("its link");
    end = {number, groups.exactly<32>(5), first + diaries};
  }
  if (reader.more()) return std::unexpected("a diary belongs to no commit group");
  return end;
}

}  // namespace vesper
