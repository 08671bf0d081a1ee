#pragma once
#include <gtest/gtest.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <map>

#include "flows/deliver/delivery.hpp"
#include "io/log/memory_log.hpp"
#include "sim/sim_clock.hpp"
#include "sim/sim_store.hpp"

// The world of the deliver tests: one process on virtual time over a platter that outlives it.
namespace vesper {

class Figures final : public Telemetry {
 public:
  void count(Counter counter, std::uint64_t n) override { counters[counter] += n; }
  void set(Gauge gauge, std::int64_t value) override { gauges[gauge] = value; }
  void add(Gauge gauge, std::int64_t change) override { gauges[gauge] += change; }
  void observe(Histogram, Duration) override {}
  std::map<Counter, std::uint64_t> counters;
  std::map<Gauge, std::int64_t> gauges;
};

class Bundles final : public BundleSource {
 public:
  std::expected<void, BundleFault> derive(const StoredDiary& diary, std::string& out) override {
    if (diary.source == "underivable") return std::unexpected(BundleFault::not_derivable);
    out = "{\"subject\":\"" + diary.subject_id + "\"}";
    return {};
  }
};

/// A platform that does what the test says and keeps a ledger a destination.
class Platform final : public Upstream {
 public:
  struct Answer {
    Duration after = 10ms;
    UpstreamReply reply;
  };
  using Rule = std::function<Answer(const std::string& subject, std::uint32_t nth_try)>;

  explicit Platform(Clock& clock) : clock_(clock) {}

  asio::awaitable<UpstreamReply> post(const UpstreamRequest& request, Deadline deadline) override {
    const std::string destination{request.destination}, bundle{request.bundle};
    const std::string subject = bundle.substr(12, bundle.size() - 14);
    const Uuid id = request.delivery_id;
    auto& now_in_flight = in_flight[destination];
    most_in_flight[destination] = std::max(most_in_flight[destination], ++now_in_flight);
    two_of_a_patient |= ++of_patient[destination + subject] > 1;
    starts[destination].push_back(clock_.now());
    const Answer answer = rules[destination] ? rules[destination](subject, ++tries[id]) : ok();
    const Instant when = clock_.now() + answer.after;
    const bool late = when > deadline.at;
    const bool slept = co_await clock_.sleep_until(std::min(when, deadline.at));
    --in_flight[destination];
    --of_patient[destination + subject];
    UpstreamReply reply = answer.reply;
    if (late || !slept) {
      reply = {};
      reply.trouble = UpstreamReply::Trouble::timed_out;
    }
    if (reply.status >= 200 && reply.status < 300 && ++applied[destination][id] == 1)
      order[destination][subject].push_back(id);
    co_return reply;
  }

  static Answer status(int code, Duration after = 10ms) {
    Answer answer{after, {}};
    answer.reply.status = static_cast<std::uint16_t>(code);
    return answer;
  }
  static Answer ok() { return status(200); }

  std::map<std::string, Rule> rules;
  std::map<std::string, std::map<Uuid, int>> applied;
  std::map<std::string, std::map<std::string, std::vector<Uuid>>> order;
  std::map<std::string, std::vector<Instant>> starts;
  std::map<std::string, int> in_flight, most_in_flight, of_patient;
  std::map<Uuid, std::uint32_t> tries;
  bool two_of_a_patient = false;

 private:
  Clock& clock_;
};

inline Uuid id_of(std::uint64_t n) {
  Uuid id;
  for (int i = 0; i < 8; ++i) id.bytes[15 - i] = static_cast<std::uint8_t>(n >> (8 * i));
  return id;
}

/// One process over a platter that outlives it, on virtual time.
struct Process {
  Process(sim::World& w, sim::Platter& platter, std::vector<UpstreamSettings> settings)
      : world(w), store(w, platter, disk), delivery(context.get_executor(), settings, ports()) {}

  DeliveryPorts ports() { return {store, store, platform, bundles, clock, entropy, figures, log}; }

  void run_for(Duration length) {
    const Instant until = world.now() + length;
    do {
      context.restart();
      while (context.poll() > 0) context.restart();
    } while (world.step(until));
  }

  template <class T>
  T get(asio::awaitable<T> work) {
    std::optional<T> result;
    asio::co_spawn(context, std::move(work), [&](std::exception_ptr e, T value) {
      ASSERT_EQ(e, nullptr);
      result.emplace(std::move(value));
    });
    for (int i = 0; i < 10'000 && !result; ++i) run_for(1ms);
    return std::move(result).value();
  }

  void commit(std::uint64_t n, const std::string& patient, std::vector<std::string> destinations,
              std::string_view source = "{}") {
    JournalEntry entry;
    entry.submission_id = entry.delivery_id = id_of(n);
    entry.trial_id = "EVENING-01";
    entry.subject_id = PatientText{patient};
    entry.source = source;
    entry.received_at = clock.wall();
    entry.destinations = &destinations;
    ASSERT_TRUE(get(store.commit(entry, Deadline{world.now() + 10s})));
    delivery.notify();
  }

  sim::World& world;
  sim::DiskFaults disk;
  asio::io_context context;
  sim::SimClock clock{world};
  sim::SimEntropy entropy{world};
  sim::SimStore store;
  Bundles bundles;
  Figures figures;
  MemoryLog log;
  Platform platform{clock};
  Delivery delivery;
};

inline UpstreamSettings settings_of(std::string name) {
  UpstreamSettings settings;
  settings.name = std::move(name);
  return settings;
}

class Deliver : public ::testing::Test {
 protected:
  void start(std::vector<UpstreamSettings> settings = {settings_of("main")}) {
    process = std::make_unique<Process>(world, platter, std::move(settings));
    ASSERT_TRUE(process->get(process->delivery.start()));
  }
  OutboxRow row(const std::string& name) {
    const auto rows = process->get(process->delivery.list());
    EXPECT_TRUE(rows);
    for (const auto& r : *rows)
      if (r.counts.destination == name) return r;
    ADD_FAILURE() << "no row " << name;
    return {};
  }
  sim::World world{20261120};
  sim::Platter platter;
  std::unique_ptr<Process> process;
};

}  // namespace vesper
