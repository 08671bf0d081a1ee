// The play: who sends what, and what goes wrong when. What must hold of it is in rush_checks.cpp.
#include "rush.hpp"

#include <fmt/format.h>

#include <cmath>
#include <fstream>
#include <sstream>

#include "base/wall_time.hpp"
#include "tokens.hpp"

namespace vesper::sim {
namespace {

using Who = Try::Who;
constexpr double capacity_per_s = 500;  // of Costs
constexpr int regulars = 60;            // of each trial

std::string trial_document(std::string_view id) {
  const char* source = std::getenv("VESPER_SOURCE");
  std::ifstream in{std::string{source ? source : "."} + "/deploy/demo/trial.json"};
  std::ostringstream out;
  out << in.rdbuf();
  std::string text = out.str();
  constexpr std::string_view demonstration = "EVENING-01";
  for (std::size_t at = 0; (at = text.find(demonstration, at)) != std::string::npos;)
    text.replace(at, demonstration.size(), id);
  return text;
}

std::string_view trial(bool of_a) {
  return of_a ? "RUSH-A" : "RUSH-B";
}

class Play {
 public:
  explicit Play(const Rush& rush)
      : rush_(rush),
        world_(rush.seed),
        around_{.world = world_,
                .platter = platter_,
                .platform = platform_,
                .disk = rush.disk,
                .settings = rush.settings} {
    // The breaker would be quicker than the throttle, which here has to do alone.
    if (rush.illness == Illness::mostly)
      around_.settings.gate = [](const UpstreamSettings& settings) {
        relay::Gate::Rule rule = gate_rule(settings);
        rule.breaker.streak = rule.breaker.quiet_streak = rule.breaker.volume = 1'000'000'000;
        return rule;
      };
    if (rush.breaks) rush.breaks(around_.settings, around_.disk);
    around_.keys.key_set = public_key_set({"v1"});
    around_.upstream.reply_min = 20ms, around_.upstream.reply_max = 30ms;
  }

  RushFindings run() {
    boot();
    while (!node_->ready()) node_->run_ready(), world_.step(world_.now() + 1s);
    for (const bool of_a : {true, false})
      node_->publish(std::string{trial(of_a)}, trial_document(trial(of_a)));
    do run_until(world_.now() + 1s);
    while (node_->published() < 2);
    begin_ = world_.now();
    place();
    happened_.rush = rush_;
    schedule();
    run_until(begin_ + rush_.length);
    for (int i = 0; i < 40 && !settled(); ++i) run_until(world_.now() + 10s);
    run_until(world_.now() + 20s);
    return judge();
  }

 private:
  struct Sender {
    Who who = Who::patient;
    bool of_a = true;
    std::string subject, token;
  };

  void run_until(Instant end) {
    do
      if (node_) node_->run_ready();
    while (world_.step(end));
  }
  void boot() {
    node_ = std::make_unique<Node>(around_, shared_key_set());
    ++happened_.lives;
    level_ = 0;
  }

  // Spans of a Rush count from its beginning.
  void place() {
    const Duration since = begin_.time_since_epoch();
    for (Span* span : {&rush_.launch, &rush_.stalled, &rush_.full, &rush_.paced, &rush_.crashed,
                       &rush_.keys_gone, &rush_.forging, &rush_.ill})
      span->from += since, span->to += since;
  }

  void schedule() {
    const auto during = [&](const Span& span, std::function<void(bool)> set) {
      if (!span.any()) return;
      world_.at(span.from, [set] { set(true); });
      world_.at(span.to, [set] { set(false); });
    };
    during(rush_.stalled, [this](bool on) { around_.disk.held = on; });
    during(rush_.full, [this](bool on) { around_.disk.full = on; });
    during(rush_.paced, [this](bool on) { around_.disk.pace_per_s = on ? rush_.pace_per_s : 0; });
    during(rush_.crashed, [this](bool on) {
      if (!on) return boot();
      keep_cold_checks();
      node_.reset();
    });
    during(rush_.keys_gone, [this](bool on) {
      around_.keys.key_set = public_key_set({"v1", "v2"});
      kid_ = "v2";
      (rush_.keys_hang ? around_.keys.hangs : around_.keys.dead) = on;
    });
    during(rush_.ill, [this](bool on) { fall_ill(on ? rush_.illness : Illness::none); });
    for (int i = 0; i < rush_.clock_steps; ++i)
      world_.after(world_.between(0ns, rush_.length), [this] {
        world_.step_wall_clock(std::chrono::milliseconds{world_.random().below(93'600'000)} - 13h);
      });
    come(rush_.a_per_s, {begin_, begin_ + rush_.length}, [this] { regular(true); });
    come(rush_.b_per_s, {begin_, begin_ + rush_.length}, [this] { regular(false); });
    come(4, {begin_, begin_ + rush_.length}, [this] { visit(); });
    come(5, {begin_, begin_ + rush_.length}, [this] { read_back(); });
    come(2, {begin_, begin_ + rush_.length}, [this] { probe(); });
    come(capacity_per_s * rush_.launch_times, rush_.launch, [this] { launch(); });
    come(rush_.forged_per_s, rush_.forging, [this] { forge(); });
    if (rush_.greedy) come(20, {begin_, begin_ + rush_.length}, [this] { grab(); });
    watch_level();
  }

  void fall_ill(Illness illness) {
    UpstreamFaults& faults = around_.upstream;
    faults = {.reply_min = 20ms, .reply_max = 30ms};
    faults.dead = illness == Illness::dead;
    faults.hang_share = illness == Illness::hangs ? 1 : 0;
    faults.error_share = illness == Illness::fails    ? 1
                         : illness == Illness::half   ? 0.5
                         : illness == Illness::mostly ? 0.85
                                                      : 0;
    if (illness == Illness::mostly) faults.error_status = 500;
    if (illness == Illness::queues) faults.queue_each = 20ms;
  }

  void come(double per_s, const Span& span, std::function<void()> one) {
    if (per_s <= 0 || !span.any()) return;
    const auto gap = static_cast<std::int64_t>(-1e9 / per_s * std::log(1 - world_.random().unit()));
    const Instant next = std::max(world_.now(), span.from) + Duration{gap};
    if (next >= span.to) return;
    world_.at(next, [this, per_s, span, one] {
      one();
      come(per_s, span, one);
    });
  }

  void regular(bool of_a) {
    const auto number = world_.random().below(regulars);
    const std::string subject = fmt::format("{}-{:04}", of_a ? "A" : "B", number);
    write({Who::patient, of_a, subject, token_of(issuer, subject, of_a)});
  }
  void launch() {
    const std::string subject = fmt::format("L-{:04}", world_.random().below(300));
    write({Who::launched, true, subject, token_of(issuer, subject, true)});
  }
  void grab() { write({Who::greedy, true, "G-1", token_of(issuer, "G-1", true)}); }
  void visit() {
    const std::string subject = fmt::format("V-{:05}", world_.random().below(100'000));
    write(
        {Who::visitor, false, subject, signed_token({remote_issuer, subject, trial(false)}, kid_)});
  }

  const std::string& token_of(std::string_view of, const std::string& subject, bool of_a) {
    std::string& token = tokens_[subject];
    if (token.empty()) token = shared_token({of, subject, trial(of_a)});
    return token;
  }

  void forge() {
    const std::string subject = fmt::format("X-{}", world_.random().below(1'000'000));
    ask_once({Who::forger, false},
             {.token = forged_token({remote_issuer, subject, "RUSH-X"}, "v1"), .body = "{}"});
  }
  void probe() { ask_once({Who::probe, false}, {.method = Method::get, .path = "/healthz"}); }
  void read_back() {
    if (known_.empty()) return;
    const auto& [sender, diary] = known_[world_.random().below(known_.size())];
    ask_once({.who = Who::reader, .of_a = sender.of_a, .diary = diary},
             {.method = Method::get,
              .path = "/patient/data/" + to_string(happened_.diaries[diary].id),
              .token = sender.token});
  }

  void write(const Sender& sender) {
    auto& random = world_.random();
    const std::uint64_t diary = happened_.diaries.size();
    const Uuid id = uuid_v7(world_.wall().time_since_epoch().count(), random.next(), random.next());
    happened_.diaries.push_back({.id = id, .who = sender.who, .of_a = sender.of_a});
    send(
        sender, diary,
        fmt::format(
            R"({{"submissionId":"{}","trialId":"{}","subjectId":"{}","form":"evening-diary","formVersion":"3","authored":"{}","answers":{{"pain-nrs":{},"fatigue":"mild","slept-hours":6.5,"took-medication":true}}}})",
            to_string(id), trial(sender.of_a), sender.subject, to_string(world_.wall()),
            random.below(11)));
  }

  std::size_t note(const Try& one) {
    happened_.tries.push_back(one);
    Try& noted = happened_.tries.back();
    noted.life = happened_.lives;
    noted.told.arrived = world_.now();
    return happened_.tries.size() - 1;
  }
  void heard(std::size_t number, const Told& told) {
    Try& one = happened_.tries[number];
    one.told = told;
    one.told.body.clear();
    one.wall = world_.wall();
    world_.trace("told", static_cast<std::uint64_t>(told.status));
  }
  void ask_once(const Try& one, const Ask& ask) {
    if (!node_ || !node_->ready()) return;
    const std::size_t number = note(one);
    node_->ask(ask, [this, number](const Told& told) { heard(number, told); });
  }

  void send(Sender sender, std::uint64_t diary, std::string body) {
    ++happened_.diaries[diary].tries;
    if (!node_ || !node_->ready()) return again(sender, diary, body, 1);
    const std::size_t number = note({.who = sender.who, .of_a = sender.of_a, .diary = diary});
    const Ask ask{.token = sender.token, .body = body};
    const VisitPtr visit = node_->ask(ask, [this, number, sender, diary, body](const Told& told) {
      heard(number, told);
      answered(number, sender, diary, body, told);
    });
    if (world_.random().chance(world_.now() < begin_ + rush_.length ? rush_.leaves : 0))
      world_.after(world_.between(0ns, 20ms), [this, number, visit] { hang_up(number, visit); });
    // No answer at all: the server died, or the client has left.
    world_.after(12s, [this, number, sender, diary, body] {
      const Try& one = happened_.tries[number];
      if (one.told.status != 0 || happened_.diaries[diary].in) return;
      if (one.left && one.visit != nullptr) return finish(diary, false);
      if (!happened_.diaries[diary].refused) happened_.diaries[diary].refused = world_.now();
      again(sender, diary, body, 1);
    });
  }

  void hang_up(std::size_t number, const VisitPtr& visit) {
    Try& one = happened_.tries[number];
    if (one.told.status != 0 || !node_ || one.life != happened_.lives) return;
    one.left = true;
    if (happened_.diaries[one.diary].tries == 1 && world_.random().chance(0.5)) one.visit = visit;
    node_->leave(visit);
  }

  void again(const Sender& sender, std::uint64_t diary, const std::string& body, int seconds) {
    const Duration pause = std::chrono::seconds{seconds};
    world_.after(world_.between(pause, pause * 12 / 10),
                 [this, sender, diary, body] { send(sender, diary, body); });
  }

  void finish(std::uint64_t diary, bool in) {
    Diary& one = happened_.diaries[diary];
    (in ? one.in : one.given_up) = true;
    one.done = world_.now();
  }

  void answered(std::size_t number, const Sender& sender, std::uint64_t diary,
                const std::string& body, const Told& told) {
    Diary& one = happened_.diaries[diary];
    if (told.status == 201) {
      if (one.receipt.empty()) one.receipt = told.body;
      if (one.receipt != told.body) happened_.tries[number].told.status = 299;
      known_.emplace_back(sender, diary);
      return finish(diary, true);
    }
    if (told.status == 503 || told.status == 507)
      if (!one.refused) one.refused = world_.now();
    const bool hopeless = sender.who == Who::launched && one.tries >= 3 && diary % 2 == 0;
    const int told_s = std::max(told.retry_after(), 1);
    if (told.status < 409 || told_s > 300 || hopeless) return finish(diary, false);
    again(sender, diary, body, told_s);
  }

  void watch_level() {
    world_.after(20ms, [this] {
      const int level = node_ ? static_cast<int>(node_->fair_use().level()) : level_;
      if (level != level_) {
        happened_.levels.push_back({world_.now(), happened_.lives, level});
        world_.trace("level", static_cast<std::uint64_t>(level));
      }
      level_ = level;
      watch_level();
    });
  }
  void keep_cold_checks() {
    for (const Instant at : node_->cold_checks())
      happened_.cold_checks.emplace_back(happened_.lives, at);
  }

  bool settled() {
    for (const Diary& diary : happened_.diaries)
      if (!diary.in && !diary.given_up) return false;
    for (const auto& [position, debt] : platter_.outbox[std::string{destination}])
      if (debt.state != DeliveryState::delivered) return false;
    return true;
  }

  RushFindings judge() {
    keep_cold_checks();
    happened_.platter = &platter_;
    happened_.platform = &platform_;
    happened_.keys = &around_.keys;
    happened_.level_at_last = level_;
    RushFindings findings;
    findings.trace_hash = world_.trace_hash();
    findings.tries = happened_.tries.size();
    findings.levels = happened_.levels.size();
    for (const Try& one : happened_.tries) {
      findings.acknowledged += one.told.status == 201;
      findings.refused += one.told.status == 503 || one.told.status == 429;
    }
    check(happened_, findings);
    return findings;
  }

  Rush rush_;
  World world_;
  Platter platter_;
  SimPlatform platform_;
  Surroundings around_;
  std::unique_ptr<Node> node_;
  Instant begin_{};
  std::map<std::string, std::string> tokens_;
  std::vector<std::pair<Sender, std::uint64_t>> known_;  ///< acknowledged
  std::string kid_ = "v1";
  int level_ = 0;
  Happened happened_;
};

}  // namespace

Rush rush_of(std::uint64_t seed) {
  Random random{seed * 0x9e3779b97f4a7c15 + 7};
  const auto seconds = [&](double low, double high) {
    return Duration{static_cast<std::int64_t>(1e9 * (low + random.unit() * (high - low)))};
  };
  const auto sometimes = [&](double share, double shortest, double longest) {
    Span span;
    if (!random.chance(share)) return span;
    span.from = Instant{seconds(3, 9)};
    span.to = span.from + seconds(shortest, longest);
    return span;
  };
  Rush rush;
  rush.seed = seed;
  rush.launch = sometimes(0.4, 1, 2.5);
  rush.launch_times = 2 + random.unit() * 5;
  rush.stalled = sometimes(0.3, 1.5, 9);
  rush.full = sometimes(0.2, 1, 6);
  rush.paced = sometimes(0.2, 3, 8);
  rush.pace_per_s = 100 + static_cast<double>(random.below(300));
  rush.crashed = sometimes(0.3, 0.01, 2);
  rush.keys_gone = sometimes(0.4, 1, 8);
  rush.keys_hang = random.chance(0.5);
  rush.forging = sometimes(0.3, 2, 4);
  rush.ill = sometimes(0.6, 1, 10);
  rush.illness = static_cast<Illness>(1 + random.below(6));
  rush.leaves = random.chance(0.4) ? random.unit() * 0.2 : 0;
  rush.clock_steps = random.chance(0.3) ? static_cast<int>(random.below(4)) : 0;
  rush.greedy = random.chance(0.4);
  rush.limited = random.chance(0.5);
  rush.trial_rate = random.chance(0.2);
  admission::Limits& limits = rush.settings.limits;
  limits.fair_shares = random.chance(0.8);
  limits.degrade_automatically = random.chance(0.8);
  limits.cold_checks_percent = limits.cold_checks_crowded_percent =
      1 + static_cast<std::uint32_t>(random.below(3));
  if (rush.limited)
    limits.standard.patient_per_minute = 240, limits.standard.patient_burst = 40,
    limits.standard.patient_per_day = 120;
  if (rush.trial_rate) {
    admission::RateLimits& of_a = limits.trials["RUSH-A"];
    of_a.trial_per_second = 150, of_a.trial_burst = 100;
  }
  return rush;
}

RushFindings play(const Rush& rush) {
  return Play{rush}.run();
}

}  // namespace vesper::sim
