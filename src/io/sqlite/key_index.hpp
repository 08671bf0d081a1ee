#pragma once
#include <array>
#include <cstdint>
#include <mutex>
#include <optional>
#include <vector>

#include "io/sqlite/connection.hpp"
#include "model/journal.hpp"

namespace vesper {

/// 8 bytes of the submission id, then the delivery id: time-ordered ids append.
using IndexKey = std::array<std::uint8_t, 24>;
[[nodiscard]] IndexKey index_key(const Uuid& submission_id, const Uuid& delivery_id);

/// Keys that are not in the table yet.
///   Shape: open addressing by delivery id, which is a hash no sender can choose.
class KeyTail {
 public:
  struct Entry {
    std::uint64_t prefix = 0;  ///< first 8 bytes of the submission id, big-endian
    Uuid delivery_id;
    Position position = 0;  ///< 0: free
  };
  [[nodiscard]] std::optional<Position> find(const Uuid& delivery_id) const;
  void insert(const Entry& entry);
  void clear();
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] const std::vector<Entry>& slots() const { return slots_; }

 private:
  std::vector<Entry> slots_;
  std::size_t size_ = 0;
};

/// Which position holds a submission id.
///   Shape: the newest keys live in memory; when there are enough they are sealed, sorted and put
///          into table `keys` slice by slice, inside the groups that follow. A crash loses nothing:
///          start reads the rows after the last finished run again.
///   Bounds: two runs of keys in memory; a slice at least four times what a group brings, so runs
///          end before the next begins.
///   Thread: the journal's; find_recent() and recent_of() any.
///   Why:    a table of arbitrary keys costs three times as much when each is inserted at once.
class KeyIndex {
 public:
  KeyIndex(Connection& connection, std::size_t run_keys, std::size_t slice_keys);

  /// Reads what the last finished run did not hold. Throws SqliteError.
  void load();
  [[nodiscard]] std::optional<Position> find(const Uuid& submission_id, const Uuid& delivery_id);
  void insert(const Uuid& submission_id, const Uuid& delivery_id, Position position);
  /// Puts a slice of the sealed run into the table. Inside a transaction. True: wrote something.
  bool write_slice(std::size_t group_entries);
  /// Seals even a short run, for a clean stop. False: nothing is left to index.
  bool seal_all();
  /// After COMMIT: forgets a run that is now in the table.
  void after_commit();

  [[nodiscard]] std::optional<Position> find_recent(const Uuid& delivery_id) const;
  [[nodiscard]] std::vector<Position> recent_of(const Uuid& submission_id) const;
  [[nodiscard]] std::size_t unindexed() const { return current_.size() + sealed_.size(); }

 private:
  struct RunKey {
    IndexKey key;
    Position position;
  };
  void seal();

  mutable std::mutex mutex_;  ///< guards the tails against readers; only this thread changes them
  KeyTail current_, sealed_;
  std::vector<RunKey> run_;  ///< the sealed keys, sorted
  std::size_t run_done_ = 0;
  Position last_position_ = 0;
  bool finished_ = false;
  std::optional<IndexKey> greatest_;  ///< of table `keys`: a greater one need not be looked up
  std::size_t run_keys_, slice_keys_;
  Connection* connection_;
  Statement select_, insert_, finish_;
};

}  // namespace vesper
