#pragma once
#include <cstdint>
#include <optional>
#include <string>

#include "base/time.hpp"
#include "base/uuid.hpp"
#include "model/journal.hpp"

namespace vesper {

/// One diary owed to one destination, without its content.
struct OwedEntry {
  Position position = 0;
  std::uint64_t lane =
      0;  ///< stable number of the patient (trial, subject): her deliveries keep their order
  Uuid delivery_id;
  std::uint32_t attempts = 0;
  WallTime committed_at;
};

/// How one entry ended, to be stored; read back for what is parked (then `lane` and `delivery_id`
/// are filled by the store; they are ignored when it is stored).
struct Settlement {
  Position position = 0;
  std::uint64_t lane = 0;
  Uuid delivery_id;
  DeliveryState state =
      DeliveryState::delivered;  ///< delivered, parked, or owed again (attempts kept)
  std::uint32_t attempts = 0;
  std::uint16_t http_status = 0;  ///< 0: no answer
  std::string evidence_headers;   ///< selected reply headers, at most 1 KiB
  Hash body_digest{};             ///< SHA-256 of the reply body
  std::string reason;             ///< why parked or owed again: a closed set of codes
  WallTime at;
};

/// Counts of one destination for `vesper outbox list`, metrics and alarms.
struct OutboxCounts {
  std::string destination;
  std::uint64_t owed = 0, parked = 0, delivered = 0,
                blocked = 0;  ///< blocked: owed, behind a parked one
  std::optional<WallTime> oldest_owed;
  bool paused = false, configured = true;
};

}  // namespace vesper
