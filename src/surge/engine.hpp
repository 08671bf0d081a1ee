#pragma once
#include <atomic>
#include <deque>
#include <expected>
#include <queue>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "base/uuid.hpp"
#include "ports/clock.hpp"
#include "surge/connections.hpp"
#include "surge/plan.hpp"
#include "surge/recorder.hpp"

namespace vesper::surge {

/// How it goes, once a second.
struct Progress {
  Duration at{}, length{};
  double offered_per_s = 0;
  Tally recent{};  ///< outcomes since the last one
  Duration late_max{};
  Sample sample{};
};

/// Hears what an Engine does, on its thread; a slow observer makes the generator late.
class Observer {
 public:
  virtual ~Observer() = default;
  virtual void minting(std::uint64_t /*done*/, std::uint64_t /*of*/) {}
  virtual void progress(const Progress& /*progress*/) {}
  virtual void tried(const TryRecord& /*record*/) {}
};

/// Plays an evening against an intake and reports how it went.
///   Shape:  diaries become due along the curve whatever the answers do; each try takes a free
///           connection or is dropped; refused diaries return as the retry rule says.
///   Bounds: Plan::diaries_max diaries, outstanding_max of them outstanding; the run ends
///           Plan::patience after the curve.
///   Thread: run() is the one thread; stop() any, also a signal handler.
class Engine {
 public:
  Engine(Plan plan, const Clock& clock, Observer& observer);

  /// Errors: one sentence; nothing was measured.
  [[nodiscard]] std::expected<Report, std::string> run();
  void stop() { stopping_.store(true, std::memory_order_relaxed); }

 private:
  static constexpr std::uint32_t none = ~0u, outstanding_max = 2'000'000;
  struct Diary {
    Uuid id{};
    std::uint32_t trial = 0, patient = 0, tries = 0;
    std::optional<std::uint32_t> retry_after_s{};
  };
  struct Flight {  ///< the try a connection carries
    std::uint32_t diary = none, turn = 0;
    Duration due{}, late{};
  };
  struct Return {
    Duration due{};
    std::uint32_t diary = 0;
    friend bool operator>(const Return& a, const Return& b) { return a.due > b.due; }
  };
  struct Expiry {
    Duration at{};
    std::uint32_t connection = 0, turn = 0;
  };
  struct Source {  ///< one trial's patients
    Arrivals arrivals;
    std::optional<Duration> next{};
    std::string head{}, tail{};             ///< before the token; after it, the diary included
    std::size_t id_at = 0, subject_at = 0;  ///< in the tail
    std::uint32_t next_patient = 0;
    std::vector<std::string> tokens{};
  };

  [[nodiscard]] std::expected<void, std::string> prepare();
  void mint_all();
  [[nodiscard]] Duration now() const { return clock_.now() - began_; }
  void offer(Duration now);
  void offer_closed(Duration now);
  [[nodiscard]] std::uint32_t new_diary(std::uint32_t trial);
  void attempt(std::uint32_t diary, Duration due);
  void write_request(const Diary& diary);
  void receive();
  void expire(Duration now);
  void end_try(std::uint32_t connection, TryEnd end, const Reply& reply);
  void tell_unanswered();
  void conclude(std::uint32_t diary, const TryRecord& record);
  void forget(std::uint32_t diary);
  void tick(Duration now);
  [[nodiscard]] bool finished(Duration now) const;
  [[nodiscard]] Duration next_event() const;
  [[nodiscard]] CpuUse cpu_so_far() const;

  Plan plan_;
  const Clock& clock_;
  Observer& observer_;
  Random random_;
  Connections connections_;
  Recorder recorder_;
  Instant began_{};
  Duration length_{}, next_tick_{}, ended_{};
  std::vector<Source> sources_;
  std::vector<Diary> diaries_;
  std::vector<std::uint32_t> free_diaries_;
  std::vector<Flight> flights_;
  std::priority_queue<Return, std::vector<Return>, std::greater<>> returns_;
  std::deque<Expiry> expiries_;
  std::string request_;
  std::size_t phase_ = 0;
  std::uint64_t offered_ = 0;
  bool arrivals_over_ = false;
  double server_cpu_began_ = -1, own_cpu_began_ = 0;
  Sample last_sample_{};
  CpuUse last_cpu_{};
  std::atomic<bool> stopping_{false};
};

}  // namespace vesper::surge
