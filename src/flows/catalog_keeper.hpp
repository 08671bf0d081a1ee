#pragma once
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "flows/submission.hpp"
#include "model/trial.hpp"
#include "ports/catalog.hpp"
#include "ports/clock.hpp"
#include "ports/journal_store.hpp"
#include "ports/log.hpp"
#include "ports/telemetry.hpp"
#include "stages/catalog/publication.hpp"
#include "tasks/task_scope.hpp"

namespace vesper {

/// One shard's own copy of the pointer to the snapshot in force: reading it needs no lock and no
/// atomic, because only the shard itself replaces it.
///   Thread: its shard.
class ShardCatalog final : public Catalog {
 public:
  [[nodiscard]] const std::shared_ptr<const TrialSnapshot>& snapshot() const override {
    return current_;
  }
  void replace(std::shared_ptr<const TrialSnapshot> next) { current_ = std::move(next); }

 private:
  std::shared_ptr<const TrialSnapshot> current_ = std::make_shared<const TrialSnapshot>();
};

/// Whether a W/ tag may match: in If-None-Match, not in If-Match (RFC 9110, 13.1).
enum class TagMatch : std::uint8_t { strong, weak };
/// True when one of the listed entity tags is `etag`, or `*`.
[[nodiscard]] bool lists_etag(std::string_view header, std::string_view etag, TagMatch match);

/// What a client must hold to publish: `If-None-Match: *` for a new trial, `If-Match` for a change.
struct Precondition {
  bool must_be_new = false;
  std::string_view etag;  ///< If-Match as sent, one tag or several; empty when must_be_new
};

struct PublicationRequest {
  std::string_view trial_id, document, reason;
  Precondition precondition;
  const Caller* publisher = nullptr;
  Deadline deadline = for_ever;  ///< of the answer; the publication itself is finished
};

struct Published {
  bool created = false;
  std::shared_ptr<const Trial> trial;
};

/// Loads every trial at start and publishes new documents: judged, durable, and in force on every
/// shard before the publisher is answered.
///   Shape:  all trials are in memory, so there is nothing to load on a request, and an unknown
///   trial
///           is known to be unknown.
///   Thread: load() and publish() run on the control executor; each shard gets the new snapshot by
///           a post to its own executor.
class CatalogKeeper {
 public:
  struct Shard {
    asio::any_io_executor executor;
    ShardCatalog* catalog;
  };
  CatalogKeeper(asio::any_io_executor control, Clock& clock, Log& log, Telemetry& telemetry,
                JournalStore& journal, std::vector<std::string> destinations,
                TaskScope scope = TaskScope{"catalog"});

  /// Shards and other readers that follow the snapshot: before their loops run, on the thread that
  /// starts them. One added after load() has the snapshot at once.
  void add_shard(Shard shard) {
    shard.catalog->replace(current_);
    shards_.push_back(shard);
  }

  /// Reads and compiles what the journal holds.
  ///   Errors: text for the operator when a stored document no longer compiles.
  asio::awaitable<std::expected<void, std::string>> load();

  /// May be awaited from any executor; resumes there.
  asio::awaitable<std::expected<Published, Refusal>> publish(PublicationRequest request);

  /// Every stored revision of one trial, oldest first.
  asio::awaitable<std::expected<std::vector<TrialRow>, StoreFault>> history(
      std::string_view trial_id, Patience patience);

 private:
  /// What a publication needs beyond its request's life.
  struct Draft {
    std::string trial_id, document, reason, etag, publisher;
    bool must_be_new = false;
  };
  asio::awaitable<std::expected<Published, Refusal>> publish_here(Draft draft);
  [[nodiscard]] PublicationRules rules_for(std::string_view trial_id) const;
  void warn_of_missing_destinations();
  asio::awaitable<void> install(std::shared_ptr<const TrialSnapshot> next);

  asio::any_io_executor control_;
  Clock& clock_;
  Log& log_;
  Telemetry& telemetry_;
  JournalStore& journal_;
  std::vector<std::string> destinations_;
  const TaskScope scope_;
  std::vector<Shard> shards_;
  std::shared_ptr<const TrialSnapshot> current_ = std::make_shared<const TrialSnapshot>();
};

}  // namespace vesper
