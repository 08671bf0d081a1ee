#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <memory>
#include <string>

#include "base/time.hpp"
#include "model/group_proof.hpp"

namespace vesper {

/// How strictly COMMIT waits for the disk.
///   Why: `normal` loses acknowledged diaries at a power cut. It exists as the negative control of
///        the power-loss test and is not reachable from the configuration.
enum class Durability : std::uint8_t { full, normal_for_tests_only };

/// Errors: one sentence for the operator.
using ReceiptSigning =
    std::function<std::expected<std::shared_ptr<const LinkSigner>, std::string>(bool first)>;

/// Bounds and place of the embedded journal.
struct SqliteOptions {
  std::string path;  ///< of the database file; its directory exists or is made
  std::string vfs;   ///< empty: the system's; tests name a faulty one
  Durability durability = Durability::full;
  std::uint32_t page_bytes = 16384;  ///< of a database made new
  std::uint32_t cache_bytes = 24u << 20;
  std::size_t group_entries_max = 1024;
  std::size_t group_bytes_max = 8u << 20;  ///< source bytes of one group
  /// How long a busy journal waits for company before it takes a group: each group has a cost of
  /// its own (two system calls a page, a sync). One whose last group was small takes at once.
  Duration group_wait = 0us;
  std::size_t busy_group_entries = 8;  ///< a group of so many entries and chores makes it busy
  /// Entries a second that the journal commits at most, as a slower disk would: a group takes its
  /// entries' time before anybody is answered. For drills and benchmarks; zero: no such limit.
  std::uint32_t pace_per_s = 0;
  std::uint32_t read_threads = 1;
  std::size_t fresh_bytes_max = 8u << 20;  ///< latest diaries kept in memory for delivery
  std::size_t queue_entries_max = 8192;
  std::size_t queue_bytes_max = 64u << 20;
  int checkpoint_frames = 512;         ///< pages in the write-ahead log that start a checkpoint
  int wal_frames_max = 8192;           ///< beyond: wait a bounded time for readers
  std::size_t index_run_keys = 32768;  ///< keys kept in memory before they are indexed, sorted
  std::size_t index_slice_keys = 2048;
  std::uint64_t anchor_entries = 16384;  ///< diaries between two anchors; start verifies the rest
  std::size_t conflicts_per_diary = 4, conflicts_total = 10'000;
  std::uint64_t reserve_bytes = 256u << 20;  ///< free space below which new diaries get 507
  double reserve_percent = 1.0;              ///< of the file system; the larger of the two holds
  /// Asked once when the journal is opened, with whether it will be the first key. Without it
  /// groups are not signed, which is not reachable from the configuration.
  ReceiptSigning signer;
  Duration sweep_interval = 20ms;  ///< how late a deadline may be noticed
};

/// Why a journal cannot be used.
enum class OpenFault : std::uint8_t {
  readable_by_others,
  in_use,           ///< another process has it open
  not_a_journal,    ///< a foreign application_id, or no database at all
  from_the_future,  ///< made by a newer version
  wrong_settings,   ///< page size or journal mode are not what a journal has
  unsafe_sqlite,    ///< the linked library breaks the one-writer rule's conditions
  receipt_key,      ///< the key that signs receipts cannot be used
  chain_broken,     ///< the tail does not verify: bytes were changed or lost
  cannot_read       ///< I/O error or corrupt
};

/// `detail` names files, versions and positions, never a patient's content.
struct OpenFailure {
  OpenFault fault = OpenFault::cannot_read;
  std::string detail;
};

}  // namespace vesper
