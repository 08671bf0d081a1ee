#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "io/sqlite/connection.hpp"
#include "io/sqlite/fresh_diaries.hpp"
#include "io/sqlite/leases.hpp"
#include "model/outbox.hpp"

namespace vesper {

/// The debts: tables owed, blocked, parked, settled and the counts of each destination.
///   Shape: owed -lease scan finds its lane parked-> blocked -redrive or skip-> owed;
///          owed -settle-> settled | parked | owed; parked -redrive-> owed, -skip-> settled.
///          `blocked` keeps what cannot go out of the way of every later scan.
///   Bounds: memory holds what is parked (at most one a patient and destination, as a rule).
///   Thread: the journal's, but leases() and what fresh() says; all but load() inside a
///           transaction. Throws SqliteError.
class OutboxTables {
 public:
  OutboxTables(Connection& connection, std::size_t fresh_bytes_max);
  void load();

  void owe(std::string_view destination, const OwedEntry& entry);
  [[nodiscard]] std::vector<OwedEntry> lease(std::string_view destination, Position after,
                                             std::size_t limit);
  void settle(std::string_view destination, std::span<const Settlement> settlements);
  /// Nothing when it is not parked.
  [[nodiscard]] std::optional<OwedEntry> redrive(std::string_view destination, Uuid delivery_id);
  [[nodiscard]] std::optional<OwedEntry> skip(std::string_view destination, Uuid delivery_id,
                                              WallTime at);
  void pause(std::string_view destination, bool paused);
  [[nodiscard]] std::uint64_t begin_epoch();
  /// Before COMMIT: stores the counts that changed.
  void save_counts();

  [[nodiscard]] const Leases& leases() const { return *leases_; }
  [[nodiscard]] FreshDiaries& fresh() { return fresh_; }

 private:
  struct Destination {
    std::int64_t id = 0;
    bool paused = false, changed = false;
    std::int64_t owed = 0, blocked = 0, parked = 0, delivered = 0;
    std::map<Uuid, Position> parked_ids;
    std::unordered_map<std::uint64_t, std::set<Position>> parked_lanes;

    [[nodiscard]] bool blocks(std::uint64_t lane, Position position) const {
      if (parked_lanes.empty()) return false;
      const auto it = parked_lanes.find(lane);
      return it != parked_lanes.end() && *it->second.begin() < position;
    }
  };
  Destination& destination(std::string_view name);
  void insert_owed(const Destination& to, const OwedEntry& entry);
  void insert_blocked(Destination& to, const OwedEntry& entry);
  [[nodiscard]] std::optional<OwedEntry> owed_at(const Destination& from, Position position);
  bool remove_owed(Destination& from, Position position);
  void remove_leased(Destination& from, std::span<const Position> positions);
  void settle_one(Destination& to, const Settlement& settlement);
  void deliver(Destination& to, const Settlement& settlement);
  void park(Destination& to, const Settlement& settlement);
  void owe_again(Destination& to, const Settlement& settlement);
  void insert_settled(const Destination& to, const Settlement& settlement);
  void insert_delivered(const Destination& to, std::span<const Settlement* const> settlements);
  static void bind_settled(Statement& row, int first, const Destination& to,
                           const Settlement& settlement);
  [[nodiscard]] std::optional<OwedEntry> unpark(Destination& from, Uuid delivery_id);
  void unblock(Destination& to, std::uint64_t lane);

  Connection* connection_;
  std::unique_ptr<Leases> leases_ = std::make_unique<Leases>();
  FreshDiaries fresh_;
  Position last_owed_ = 0;  ///< since the tables were loaded
  std::map<std::string, Destination, std::less<>> destinations_;
  Statement insert_owed_, insert_blocked_, delete_owed_, delete_run_, select_owed_, scan_owed_,
      update_owed_, insert_settled_, insert_eight_settled_, insert_parked_, delete_parked_,
      select_parked_, unblock_, delete_blocked_, delete_blocked_at_, update_counts_,
      insert_destination_;
};

}  // namespace vesper
