#include "drill/offer.hpp"

namespace vesper::drill {
namespace {

constexpr Duration poll = 10ms, start_longest = 20s;

// A 503 that comes at once was refused; one that comes late may be a deadline that passed before
// the commit, which leaves it open.
constexpr Duration early = 1s;

Told told_by(const surge::TryRecord& record) {
  if (record.end == surge::TryEnd::no_connection) return Told::refused;  // it was never sent
  if (record.end != surge::TryEnd::answered) return Told::nothing;
  if (record.status == 201) return Told::accepted;
  if (record.status >= 500 && record.status != 507 && record.latency > early) return Told::nothing;
  return Told::refused;
}

}  // namespace

Offer::Offer(Rig& rig, surge::Plan plan) : rig_(rig) {
  surge::Observer& observer = *this;
  engine_ = std::make_unique<surge::Engine>(std::move(plan), rig.clock(), observer);
}

Offer::~Offer() {
  if (engine_) engine_->stop();
  if (thread_.joinable()) thread_.join();
}

asio::awaitable<Instant> Offer::start() {
  thread_ = TaskThread{rig_.scope(), "patients", "drill-patients",
                       [this](const std::stop_token&, TaskRecord*) {
                         report_ = engine_->run();
                         ended_.store(true, std::memory_order_release);
                       }};
  const Deadline deadline{rig_.clock().now() + start_longest};
  while (!answered_.load(std::memory_order_acquire) && !ended_.load(std::memory_order_acquire) &&
         !deadline.passed(rig_.clock().now()))
    co_await rig_.sleep(poll);
  co_return answered_.load(std::memory_order_acquire) ? began_ : rig_.clock().now();
}

asio::awaitable<std::expected<surge::Report, std::string>> Offer::done() {
  while (!ended_.load(std::memory_order_acquire)) co_await rig_.sleep(poll);
  thread_.join();
  engine_.reset();
  co_return report_;
}

void Offer::tried(const surge::TryRecord& record) {
  const Duration ended = record.due + record.latency;
  if (!answered_.load(std::memory_order_relaxed)) {
    began_ = rig_.clock().now() - ended;
    answered_.store(true, std::memory_order_release);
  }
  const auto submission = parse_uuid(record.id);
  if (!submission) return;
  ledger_.tried(record.patient, Rig::delivery_of(record.patient, *submission),
                record.due + record.late, ended, told_by(record));
  acknowledged_.store(ledger_.acknowledged(), std::memory_order_relaxed);
}

surge::Plan offer_plan(const Rig& rig, std::uint32_t patients, surge::ArrivalCurve curve) {
  surge::Plan plan;
  plan.port = rig.intake_port();
  surge::TrialLoad load;
  load.id = drill_trial;
  load.curve = std::move(curve);
  if (auto diary = surge::make_diary_template(drill_diary(), drill_trial)) load.diary = *diary;
  load.patients = patients;
  plan.trials.push_back(std::move(load));
  plan.token = [&rig](const std::string& trial, const std::string& subject) {
    return rig.token(trial, subject);
  };
  return plan;
}

}  // namespace vesper::drill
