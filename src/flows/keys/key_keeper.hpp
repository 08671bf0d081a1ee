#pragma once
#include <atomic>
#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <cstdint>
#include <expected>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "flows/keys/key_doubts.hpp"
#include "flows/keys/key_source.hpp"

namespace vesper {

/// What to tell a token whose key is not in its issuer's set.
enum class KeyAnswer : std::uint8_t {
  known_now,  ///< the set in force has it: verify again
  refuse,     ///< 401: a fetch begun after a token named it did not bring it, or keys are a file
  come_again  ///< 503: a refresh is pending, refused by the floor, or failing
};

/// Keeps every issuer's keys fresh, and says what to answer while it cannot know.
///   Shape:  per issuer: none -good set-> in force -another good set-> in force (new generation)
///           -age_max without a good fetch-> none. A bad set, a slow or dead address or a broken
///           file changes nothing: the last good set stays in force.
///   Bounds: one fetch in flight an issuer, at most one begun each refresh_floor; settle() lets 256
///           requests wait; a set has at most 256 KiB and 64 keys.
///   Thread: load() and what start() starts on one executor; all else on any thread.
///   Source: decisions 0110 and 0111.
class KeyKeeper {
 public:
  KeyKeeper(std::vector<KeySource> sources, KeyRules rules, const KeyPorts& ports);

  /// Reads every file and every kept set. Once, before start().
  ///   Errors: one line for the operator. A file must be there, private and good; a remote set need
  ///   not be there yet.
  [[nodiscard]] std::expected<void, std::string> load();
  /// Refreshes until its scope is cancelled: one task an issuer.
  void start(const asio::any_io_executor& executor);
  /// Reads and fetches everything anew, soon.
  void reload();

  [[nodiscard]] std::shared_ptr<const access::KeyRing> ring() const;
  /// Changes with every ring; never 0.
  [[nodiscard]] std::uint64_t generation() const {
    return generation_.load(std::memory_order_acquire);
  }
  /// Issuers without keys at the moment; readiness needs none.
  [[nodiscard]] std::vector<std::string> without_keys() const;

  /// For unknown_key and keys_unavailable: the answer that can be given at once. Wishes a refresh.
  [[nodiscard]] KeyAnswer ask(std::string_view issuer, std::string_view kid);
  /// The same, but waits for a refresh that can come before `deadline`.
  asio::awaitable<KeyAnswer> settle(std::string issuer, std::string kid, Deadline deadline);

 private:
  struct State {
    explicit State(KeySource from, Duration absent_for)
        : source(std::move(from)), doubts(absent_for) {}
    KeySource source;
    KeyDoubts doubts;                // under mutex_
    bool in_flight = false;          // under mutex_
    bool reload = false;             // under mutex_
    std::optional<Instant> began;    // of the last fetch; under mutex_
    Instant next;                    // when to fetch or look without being asked
    std::optional<Instant> good_at;  // of the set in force
    Instant kept_at;                 // when the kept file was written
    std::uint32_t failures = 0;      // in a row
    std::string key_set;             // as it came
    std::optional<FileStamp> stamp;  // of the file when it was last read
  };

  [[nodiscard]] State* find(std::string_view issuer);
  [[nodiscard]] std::expected<std::shared_ptr<const access::KeySet>, std::string> judge(
      const State& state, std::string_view text) const;
  void put_in_force(const State& state, std::shared_ptr<const access::KeySet> keys);
  void load_kept(State& state);
  [[nodiscard]] std::expected<void, std::string> load_file(State& state);

  asio::awaitable<void> keep(State& state, TaskRecord* task);
  void look_at_file(State& state);
  [[nodiscard]] bool due(const State& state, Instant now);
  asio::awaitable<void> refresh(State& state, TaskRecord* task);
  [[nodiscard]] std::expected<void, std::string> take(State& state, const std::string& text);
  void keep_on_disk(State& state, Instant now);
  void give_up_when_old(State& state, Instant now);
  [[nodiscard]] Duration jittered(Duration length) const;
  [[nodiscard]] KeyAnswer ask_locked(State& state, std::string_view kid, Instant now);

  std::vector<std::unique_ptr<State>> states_;
  KeyRules rules_;
  KeyPorts ports_;
  mutable std::mutex mutex_;
  std::shared_ptr<const access::KeyRing> ring_;  // under mutex_
  std::atomic<std::uint64_t> generation_{1};
  std::atomic<int> waiting_{0};
};

/// One thread's own copy of the ring in force, so that a request takes no lock.
///   Thread: one owner, such as a shard.
class KeyView {
 public:
  explicit KeyView(const KeyKeeper& keeper) : keeper_(&keeper) {}
  [[nodiscard]] const access::KeyRing& current() {
    if (ring_ == nullptr || ring_->generation != keeper_->generation()) ring_ = keeper_->ring();
    return *ring_;
  }

 private:
  const KeyKeeper* keeper_;
  std::shared_ptr<const access::KeyRing> ring_;
};

}  // namespace vesper
