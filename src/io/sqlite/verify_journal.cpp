#include "io/sqlite/verify_journal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "io/sqlite/journal_file.hpp"
#include "io/sqlite/schema.hpp"
#include "io/sqlite/verify_tables.hpp"

namespace vesper {
namespace {

std::unexpected<OpenFailure> failure(OpenFault fault, std::string detail) {
  return std::unexpected(OpenFailure{fault, std::move(detail)});
}

/// Keeps a server from opening the journal meanwhile; a copy has no lock file and needs none.
class Lock {
 public:
  explicit Lock(const std::string& path)
      : file_(::open((path + ".lock").c_str(), O_RDONLY | O_CLOEXEC)) {}
  Lock(const Lock&) = delete;
  Lock& operator=(const Lock&) = delete;
  ~Lock() {
    if (file_ >= 0) ::close(file_);
  }
  [[nodiscard]] bool held() const { return file_ < 0 || flock(file_, LOCK_SH | LOCK_NB) == 0; }

 private:
  int file_;
};

// Without a log the file is all there is, and can be read where nothing may be written.
std::string address_of(const std::string& path) {
  if (file_bytes(path + "-wal") != 0) return path;
  std::string address = "file:";
  for (const char c : path) {
    if (c == '?' || c == '#' || c == '%')
      address += fmt::format("%{:02x}", static_cast<unsigned>(c));
    else
      address += c;
  }
  return address + "?immutable=1";
}

std::expected<void, OpenFailure> check_kind(Connection& connection, const std::string& path) {
  if (connection.integer("PRAGMA application_id") != journal_application_id)
    return failure(OpenFault::not_a_journal, path + " is no journal");
  const auto version = connection.integer("PRAGMA user_version");
  if (version > schema_version())
    return failure(OpenFault::from_the_future,
                   fmt::format("{} has schema version {}, this program knows up to {}", path,
                               version, schema_version()));
  if (version < schema_version())
    return failure(OpenFault::wrong_settings,
                   fmt::format("{} has schema version {}: start a copy of it once with this "
                               "program, which brings it to version {}",
                               path, version, schema_version()));
  return {};
}

std::string keys_fault(const ReceiptKeyTable& table, std::span<const ReceiptKeyFacts> trusted) {
  if (trusted.empty()) return {};
  for (const auto& key : table.all()) {
    const auto same = std::ranges::find(trusted, key->kid, &ReceiptKeyFacts::kid);
    if (same == trusted.end() || same->public_key != key->public_key)
      return fmt::format("its groups from {} on are signed by key {}, which is not trusted",
                         key->first_group, key->kid);
  }
  return {};
}

/// What does not agree with an anchor; empty: it does.
std::string anchor_fault(Connection& connection, const JournalRules& rules,
                         const ReceiptKeyTable& table, const VerifyRequest& request,
                         const VerifyReport& report, const SignedLink& anchor) {
  const LinkStatement& stated = anchor.statement;
  if (stated.chain != report.chain_id)
    return fmt::format("the anchor of group {} is of another chain, {}", stated.group,
                       to_string(stated.chain));
  const ReceiptKeyFacts* key = nullptr;
  for (const auto& one : request.keys)
    if (one.kid == anchor.kid) key = &one;
  for (const auto& one : table.all())
    if (request.keys.empty() && one->kid == anchor.kid) key = one.get();
  if (key == nullptr)
    return fmt::format("the anchor of group {} is signed by key {}, which is not trusted",
                       stated.group, anchor.kid);
  if (key->algorithm != anchor.algorithm || !rules.verify_link(*key, stated, anchor.signature))
    return fmt::format("the anchor of group {} has not the signature of its key: it was changed",
                       stated.group);
  if (stated.group > report.groups)
    return fmt::format(
        "the journal ends at group {}, and group {} was anchored: it was truncated, "
        "or an older copy was restored",
        report.groups, stated.group);
  auto row = connection.prepare("SELECT link FROM groups WHERE number=?1");
  const bool found = row.bind(1, static_cast<std::int64_t>(stated.group)).step();
  if (!found || row.exactly<32>(0) != stated.link)
    return fmt::format(
        "group {} is not the one that was anchored: the chain was rewritten, or "
        "continued from an older copy",
        stated.group);
  return {};
}

VerifyReport verify(Connection& connection, const JournalRules& rules,
                    const VerifyRequest& request) {
  VerifyReport report;
  auto id = connection.prepare("SELECT value FROM meta WHERE name='chain_id'");
  if (!id.step()) {
    report.fault = "it has no chain id";
    return report;
  }
  report.chain_id = Uuid{id.exactly<16>(0)};
  id.reset();
  ReceiptKeyTable keys;
  keys.load(connection);
  report.fault = keys_fault(keys, request.keys);
  if (!report.fault.empty()) return report;
  TableVerifier tables(connection, rules, request.seed);
  ChainEnd start;
  start.carried = rules.genesis(report.chain_id);
  const auto end =
      verify_chain(connection, rules, keys, report.chain_id, start, request.signatures, &tables);
  if (!end) {
    report.fault = end.error();
    return report;
  }
  report.diaries = end->next_position - 1;
  report.groups = end->group;
  report.signed_groups = end->signed_groups;
  report.signatures = end->signatures;
  report.events = static_cast<std::uint64_t>(end->last_event);
  report.conflicts = static_cast<std::uint64_t>(end->last_conflict);
  report.link = end->link;
  for (const SignedLink& anchor : request.anchors) {
    report.fault = anchor_fault(connection, rules, keys, request, report, anchor);
    if (!report.fault.empty()) return report;
    report.anchored_to = std::max(report.anchored_to, anchor.statement.group);
  }
  report.fault = tables.verify(*end).value_or("");
  return report;
}

}  // namespace

std::expected<VerifyReport, OpenFailure> verify_journal(const VerifyRequest& request,
                                                        const JournalRules& rules) {
  struct stat info{};
  if (stat(request.path.c_str(), &info) != 0)
    return failure(OpenFault::cannot_read, request.path + ": there is no such file");
  const Lock lock(request.path);
  if (!lock.held())
    return failure(OpenFault::in_use,
                   fmt::format("a server has {} open: verify a copy of it", request.path));
  try {
    Connection connection(address_of(request.path), Connection::Access::read, "");
    if (auto kind = check_kind(connection, request.path); !kind)
      return std::unexpected(kind.error());
    connection.execute("PRAGMA cache_size=-65536; BEGIN");
    try {
      return verify(connection, rules, request);
    } catch (const SqliteError& error) {
      VerifyReport report;
      report.fault = fmt::format("it cannot be read to its end: {}", error.what());
      return report;
    }
  } catch (const SqliteError& error) {
    return failure(
        (error.code() & 0xff) == SQLITE_NOTADB ? OpenFault::not_a_journal : OpenFault::cannot_read,
        fmt::format("{}: {}", request.path, error.what()));
  }
}

}  // namespace vesper
