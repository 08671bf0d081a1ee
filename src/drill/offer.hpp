#pragma once
#include <atomic>
#include <expected>
#include <memory>
#include <optional>
#include <string>

#include "drill/ledger.hpp"
#include "drill/rig.hpp"
#include "surge/engine.hpp"
#include "tasks/task_thread.hpp"

namespace vesper::drill {

/// The patients of an evening: the surge engine on a thread of its own, and what they were told.
///   Shape:  start -> began -> done -> take. The ledger may be read when done.
///   Thread: the drill's; the engine has its own.
class Offer final : private surge::Observer {
 public:
  Offer(Rig& rig, surge::Plan plan);
  ~Offer() override;
  Offer(const Offer&) = delete;

  /// Completes when the first diary was answered.
  [[nodiscard]] asio::awaitable<Instant> start();
  /// Completes when all is answered, or given up.
  [[nodiscard]] asio::awaitable<std::expected<surge::Report, std::string>> done();
  [[nodiscard]] Instant began() const { return began_; }
  /// Diaries acknowledged so far, from any thread.
  [[nodiscard]] std::uint64_t acknowledged() const {
    return acknowledged_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] const Ledger& ledger() const { return ledger_; }
  [[nodiscard]] Ledger& ledger() { return ledger_; }

 private:
  void tried(const surge::TryRecord& record) override;

  Rig& rig_;
  std::unique_ptr<surge::Engine> engine_;  // gone when done, and its connections with it
  Ledger ledger_;
  std::atomic<bool> answered_{false}, ended_{false};
  std::atomic<std::uint64_t> acknowledged_{0};
  Instant began_{};
  std::expected<surge::Report, std::string> report_ = std::unexpected("it did not run");
  TaskThread thread_;
};

/// A plan for the drill's trial: everything but the curve, the patients and the connections.
[[nodiscard]] surge::Plan offer_plan(const Rig& rig, std::uint32_t patients,
                                     surge::ArrivalCurve curve);

}  // namespace vesper::drill
