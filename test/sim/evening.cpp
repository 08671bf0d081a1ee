#include "evening.hpp"

#include <fmt/format.h>
#include <fstream>
#include <map>
#include <sstream>

#include "base/wall_time.hpp"
#include "tokens.hpp"

namespace vesper::sim {
namespace {

std::string demonstration_trial() {
  const char* source = std::getenv("VESPER_SOURCE");
  std::ifstream in{std::string{source ? source : "."} + "/deploy/demo/trial.json"};
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// A patient's phone: one diary at a time, the same bytes again until an answer ends it.
struct Phone {
  struct Sent {
    Uuid id;
    bool valid = true;
    std::vector<std::string> receipts;  ///< every 201 for it
  };
  std::string subject, token;
  std::vector<Sent> sent;
  std::string bytes;
  int left = 0, attempt = 0;
  std::uint64_t turn = 0;  ///< answers and time-outs of earlier tries are ignored
};

class Play {
 public:
  explicit Play(const Evening& evening)
      : evening_(evening),
        world_(evening.seed),
        around_{.world = world_,
                .platter = platter_,
                .platform = platform_,
                .disk = evening.disk,
                .upstream = evening.upstream} {}

  Findings run() {
    set_the_stage();
    run_until(world_.now() + evening_.length);
    heal();
    const Instant at_last = world_.now() + 20min;
    while (world_.now() < at_last && !settled()) run_until(world_.now() + 30s);
    check();
    findings_.trace_hash = world_.trace_hash();
    return findings_;
  }

 private:
  void run_until(Instant end) {
    do
      if (node_) node_->run_ready();
    while (world_.step(end));
  }

  void set_the_stage() {
    boot();
    while (!node_->ready()) node_->run_ready(), world_.step(world_.now() + 1s);
    node_->publish("EVENING-01", demonstration_trial());
    do run_until(world_.now() + 5s);  // a disk may stall: the evening begins with a stored trial
    while (node_->published() == 0);
    for (int i = 0; i < evening_.patients; ++i) {
      Phone phone;
      phone.subject = fmt::format("S-{:06}", i);
      phone.token = shared_token({issuer, phone.subject});
      phone.left = evening_.diaries_each;
      phones_.push_back(std::move(phone));
    }
    for (std::size_t i = 0; i < phones_.size(); ++i)
      world_.after(world_.between(0ns, evening_.length / 2), [this, i] { write_diary(i); });
    for (int i = 0; i < evening_.power_losses; ++i)
      world_.after(world_.between(0ns, evening_.length), [this] { lose_power(); });
    for (int i = 0; i < evening_.clock_steps; ++i)
      world_.after(world_.between(0ns, evening_.length), [this] { step_clock(); });
    for (int i = 0; i < evening_.full_disks; ++i)
      world_.after(world_.between(0ns, evening_.length), [this] { fill_disk(); });
  }
  void step_clock() {
    const auto by = std::chrono::milliseconds{world_.random().below(172'800'000)};
    world_.step_wall_clock(by - 24h);
    world_.trace("clock stepped");
  }
  void fill_disk() {
    around_.disk.full = !healed_;
    world_.after(world_.between(1s, 10s), [this] { around_.disk.full = false; });
  }

  void boot() {
    node_ = std::make_unique<Node>(around_, shared_key_set());
    ++generation_;
  }
  void lose_power() {
    if (!node_ || healed_) return;
    world_.trace("power loss");
    node_.reset();
    ++findings_.restarts;
    world_.after(world_.between(10ms, 3s), [this] { boot(); });
  }
  void heal() {
    healed_ = true;
    world_.trace("healed");
    around_.upstream = UpstreamFaults{.forgets_keys = evening_.upstream.forgets_keys};
    around_.disk.stall_share = 0;
    around_.disk.full = false;
    if (!node_) boot();
  }

  void write_diary(std::size_t i) {
    Phone& phone = phones_[i];
    if (--phone.left < 0) return;
    auto& random = world_.random();
    Phone::Sent sent;
    sent.id = uuid_v7(world_.wall().time_since_epoch().count(), random.next(), random.next());
    sent.valid = !random.chance(evening_.invalid_share);
    phone.bytes = fmt::format(
        R"({{"submissionId":"{}","trialId":"EVENING-01","subjectId":"{}","form":"evening-diary","formVersion":"3","authored":"{}","answers":{{"pain-nrs":{},"fatigue":"mild","slept-hours":6.5,"took-medication":true}}}})",
        to_string(sent.id), phone.subject, to_string(world_.wall()),
        sent.valid ? random.below(11) : 99);
    phone.sent.push_back(std::move(sent));
    phone.attempt = 0;
    send(i);
  }

  void send(std::size_t i) {
    Phone& phone = phones_[i];
    const std::uint64_t turn = ++phone.turn;
    ++findings_.tries;
    world_.after(8s, [this, i, turn] { try_again(i, turn, 1s); });
    const Duration way = world_.between(1ms, 80ms);
    if (lost(evening_.request_lost)) return;
    world_.after(way, [this, i, turn] { arrive(i, turn); });
  }

  void arrive(std::size_t i, std::uint64_t turn) {
    if (!node_ || !node_->ready()) return try_again(i, turn, 500ms);
    const auto answered = [this, i, turn](const Told& told) {
      if (lost(evening_.reply_lost)) return;
      world_.after(world_.between(1ms, 80ms), [this, i, turn, told] { hear(i, turn, told); });
    };
    const VisitPtr visit =
        node_->ask({.token = phones_[i].token, .body = phones_[i].bytes}, answered);
    if (!lost(evening_.leaves)) return;
    world_.after(world_.between(0ns, 10ms), [this, i, turn, visit, generation = generation_] {
      if (generation == generation_ && node_) node_->leave(visit);
      try_again(i, turn, 200ms);
    });
  }

  void hear(std::size_t i, std::uint64_t turn, const Told& told) {
    Phone& phone = phones_[i];
    const auto& [status, body] = std::tie(told.status, told.body);
    world_.trace("answer", static_cast<std::uint64_t>(status));
    if (status == 201) phone.sent.back().receipts.push_back(body);
    if (turn != phone.turn) return;
    if (status == 409 || status == 429 || status >= 500) {
      if (told.retry_after() < 1) broken("refused with {}, without Retry-After", status);
      return try_again(i, turn, 1s);
    }
    ++phone.turn;
    if (status == 201)
      ++findings_.acknowledged;
    else if (status == 422)
      ++findings_.refused;
    else
      findings_.violations.push_back(fmt::format("unexpected status {}: {}", status, body));
    // Sometimes she sends the same bytes once more, as a phone does after a lost answer.
    if (status == 201 && world_.random().chance(0.1)) return send(i);
    world_.after(world_.between(1s, evening_.length / 4), [this, i] { write_diary(i); });
  }

  void try_again(std::size_t i, std::uint64_t turn, Duration pause) {
    Phone& phone = phones_[i];
    if (turn != phone.turn) return;
    ++phone.turn;
    pause *= std::int64_t{1} << std::min(phone.attempt++, 4);
    world_.after(world_.between(pause, pause * 12 / 10), [this, i] { send(i); });
  }

  /// Every diary has its answer, and every debt is paid.
  bool settled() {
    for (const Phone& phone : phones_)
      if (phone.left >= 0) return false;
    for (const auto& [position, debt] : platter_.outbox[std::string{destination}])
      if (debt.state != DeliveryState::delivered) return false;
    return true;
  }
  bool lost(double share) { return !healed_ && world_.random().chance(share); }

  void check() {
    std::map<Uuid, std::vector<const StoredDiary*>> stored;
    for (const auto& diary : platter_.diaries) stored[diary.facts.submission_id].push_back(&diary);
    for (const auto& phone : phones_) {
      if (phone.left >= 0) broken("a patient never finished: {} left", phone.left);
      for (const auto& sent : phone.sent) check_diary(sent, stored[sent.id]);
    }
    check_order();
  }

  void check_diary(const Phone::Sent& sent, const std::vector<const StoredDiary*>& rows) {
    const std::string id = to_string(sent.id);
    if (!sent.valid && !rows.empty()) broken("refused, yet stored: {}", id);
    if (sent.receipts.empty()) return;
    if (rows.size() != 1)
      return broken("acknowledged, {} times in the journal: {}", rows.size(), id);
    for (const auto& receipt : sent.receipts)
      if (receipt != sent.receipts.front()) broken("two receipts for one diary: {}", id);
    const auto& effects = platform_.applied[std::string{destination}];
    const auto found = effects.find(rows.front()->facts.delivery_id);
    const std::uint32_t times = found == effects.end() ? 0 : found->second;
    if (times != 1) broken("acknowledged, {} effects at the platform: {}", times, id);
  }

  void check_order() {
    std::map<Uuid, const StoredDiary*> by_delivery;
    for (const auto& diary : platter_.diaries) by_delivery[diary.facts.delivery_id] = &diary;
    std::map<std::string, Position> last;
    for (const Uuid& delivery : platform_.order[std::string{destination}]) {
      const auto found = by_delivery.find(delivery);
      if (found == by_delivery.end()) {
        broken("delivered, yet not in the journal: {}", to_string(delivery));
        continue;
      }
      Position& before = last[found->second->subject_id];
      if (found->second->position < before)
        broken("out of a patient's order: {}", to_string(delivery));
      before = found->second->position;
    }
  }

  template <class... Args>
  void broken(fmt::format_string<Args...> text, Args&&... args) {
    findings_.violations.push_back(fmt::format(text, std::forward<Args>(args)...));
  }

  const Evening evening_;
  World world_;
  Platter platter_;
  SimPlatform platform_;
  Surroundings around_;
  std::unique_ptr<Node> node_;
  std::vector<Phone> phones_;
  std::uint64_t generation_ = 0;
  bool healed_ = false;
  Findings findings_;
};

}  // namespace

Evening evening_of(std::uint64_t seed) {
  Random random{seed * 0x9e3779b97f4a7c15 + 1};
  const auto sometimes = [&](double most) { return random.chance(0.5) ? random.unit() * most : 0; };
  Evening evening;
  evening.seed = seed;
  evening.patients = 4 + static_cast<int>(random.below(20));
  evening.diaries_each = 2 + static_cast<int>(random.below(6));
  evening.power_losses = static_cast<int>(random.below(6));
  evening.request_lost = sometimes(0.3);
  evening.reply_lost = sometimes(0.5);
  evening.disk.stall_share = sometimes(0.05);
  evening.disk.stall_max = std::chrono::seconds{1 + random.below(10)};
  evening.upstream.error_share = sometimes(0.5);
  evening.upstream.lost_reply_share = sometimes(0.3);
  evening.upstream.hang_share = sometimes(0.2);
  evening.upstream.refused_share = sometimes(0.5);
  evening.upstream.dead = random.chance(0.1);
  evening.leaves = sometimes(0.3);
  evening.clock_steps = random.chance(0.3) ? static_cast<int>(random.below(4)) : 0;
  evening.full_disks = random.chance(0.3) ? static_cast<int>(random.below(3)) : 0;
  return evening;
}

Findings play(const Evening& evening) {
  return Play{evening}.run();
}

}  // namespace vesper::sim
