// Opening: claim the files, bring the schema forward, verify the chain's tail, fill the memory.
#include <fmt/format.h>
#include <sqlite3.h>

#include "io/sqlite/schema.hpp"
#include "io/sqlite/sqlite_journal.hpp"

namespace vesper {
namespace {

OpenFailure failure_of(const SqliteError& error, const std::string& path) {
  const int code = error.code() & 0xff;
  const OpenFault fault = code == SQLITE_NOTADB                          ? OpenFault::not_a_journal
                          : code == SQLITE_BUSY || code == SQLITE_LOCKED ? OpenFault::in_use
                                                                         : OpenFault::cannot_read;
  return {fault, fmt::format("{}: {}", path, error.what())};
}

}  // namespace

std::expected<std::unique_ptr<SqliteJournal>, OpenFailure> SqliteJournal::open(
    const SqliteOptions& options, const JournalRules& rules, Clock& clock, Entropy& entropy) {
  std::optional<JournalFile> file;
  if (options.vfs.empty()) {  // another VFS has no files of the operating system to guard
    auto claimed = JournalFile::claim(options.path);
    if (!claimed) return std::unexpected(claimed.error());
    file = std::move(*claimed);
  }
  try {
    auto connection =
        std::make_unique<Connection>(options.path, Connection::Access::write, options.vfs);
    if (auto prepared = prepare_schema(*connection, options); !prepared)
      return std::unexpected(prepared.error());
    std::unique_ptr<SqliteJournal> journal(
        new SqliteJournal(options, rules, clock, entropy, std::move(connection), std::move(file)));
    journal->begin_chain();
    if (auto loaded = journal->load(); !loaded)
      return std::unexpected(
          OpenFailure{OpenFault::chain_broken, options.path + ": " + loaded.error()});
    if (auto adopted = journal->adopt_receipt_key(); !adopted)
      return std::unexpected(adopted.error());
    return journal;
  } catch (const SqliteError& error) {
    return std::unexpected(failure_of(error, options.path));
  }
}

void SqliteJournal::begin_chain() {
  auto select = connection_->prepare("SELECT value FROM meta WHERE name='chain_id'");
  if (select.step()) {
    chain_id_ = Uuid{select.exactly<16>(0)};
    return;
  }
  chain_id_ = uuid_v7(clock_.wall().time_since_epoch().count(), entropy_.next(), entropy_.next());
  auto insert = connection_->prepare("INSERT INTO meta(name,value) VALUES('chain_id',?1)");
  insert.bind_blob(1, chain_id_.bytes).run();
}

// The anchor names a group whose link was computed by the process that wrote it; all groups after
// it are read and hashed again, so a tail that was cut, changed or lost is not built upon.
std::expected<void, std::string> SqliteJournal::load() {
  receipt_keys_.load(*connection_);
  proofs_.emplace(*connection_, rules_, receipt_keys_, chain_id_);
  ChainEnd from;
  from.carried = rules_.genesis(chain_id_);
  auto anchor = connection_->prepare(
      "SELECT g.number,g.link,g.first_position+g.diaries,g.receipt_key,g.signature,"
      "coalesce((SELECT id FROM audit WHERE commit_group<=g.number "
      "ORDER BY commit_group DESC,id DESC LIMIT 1),0),"
      "(SELECT coalesce(max(id),0) FROM conflicts WHERE commit_group<=g.number) "
      "FROM meta m JOIN groups g ON g.number=m.value WHERE m.name='anchor'");
  if (anchor.step()) {
    from.group = static_cast<std::uint64_t>(anchor.integer(0));
    from.link = anchor.exactly<32>(1);
    from.carried = from.link;
    from.next_position = static_cast<Position>(anchor.integer(2));
    from.last_key = anchor.integer(3);
    if (const auto key = receipt_keys_.find(from.last_key))
      from.carried = rules_.carried(from.link, key->kid, anchor.exactly<sizeof(Signature)>(4));
    from.last_event = anchor.integer(5);
    from.last_conflict = anchor.integer(6);
    anchor.reset();
  } else if (connection_->integer("SELECT count(*) FROM meta WHERE name='anchor'") != 0) {
    return std::unexpected("the anchored group is missing");
  }
  auto end = verify_chain(*connection_, rules_, receipt_keys_, chain_id_, from,
                          SignatureCheck::last_of_each_key);
  if (!end) return std::unexpected(std::move(end.error()));
  last_anchor_ = from.group == 0 ? 0 : from.next_position;
  group_ = end->group;
  link_ = end->link;
  carried_ = end->carried;
  newest_proof_ = group_ == 0 ? nullptr : proofs_->of(group_);
  next_position_ = end->next_position;
  conflicts_ =
      static_cast<std::uint64_t>(connection_->integer("SELECT coalesce(max(id),0) FROM conflicts"));
  contexts_.forget();
  keys_.load();
  outbox_.load();
  return {};
}

}  // namespace vesper
