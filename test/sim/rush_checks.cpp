// What must hold of an evening, limiter by limiter. Each check looks only at stretches in which
// nothing but its own subject can be the reason; the others have checks of their own.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "rush.hpp"

namespace vesper::sim {
namespace {

using Who = Try::Who;

bool writes(const Try& one) {
  return one.who != Who::reader && one.who != Who::probe && one.who != Who::forger;
}

class Checks {
 public:
  Checks(const Happened& happened, RushFindings& findings)
      : h_(happened), rush_(happened.rush), findings_(findings) {}

  void run() {
    answers();
    nothing_lost();
    departures();
    door();
    needless_refusals();
    allowances();
    trial_rate();
    cold_checks();
    levels();
    journal_breaker();
    key_fetches();
    destination_probes();
    destination_heals();
    throttle();
    retry_budget();
    concurrency();
  }

 private:
  template <class... Args>
  void broken(fmt::format_string<Args...> text, Args&&... args) {
    findings_.violations.push_back(fmt::format(text, std::forward<Args>(args)...));
  }
  [[nodiscard]] static double at(Instant when) {
    return std::chrono::duration<double>(when.time_since_epoch()).count();
  }
  [[nodiscard]] bool meets(std::initializer_list<Span> spans, Instant from, Instant to) const {
    return std::ranges::any_of(spans, [&](const Span& span) { return span.meets(from, to); });
  }
  /// Something that everybody feels, or felt until 3 s before.
  [[nodiscard]] bool disturbed(Instant from, Instant to) const {
    return meets({rush_.stalled, rush_.full, rush_.paced, rush_.crashed}, from - 3s, to);
  }
  /// Diaries of A or B (or of either) that were refused before and are not in yet.
  [[nodiscard]] bool returning(Instant when, const Diary& but, bool of_a, bool of_b) const {
    return std::ranges::any_of(h_.diaries, [&](const Diary& diary) {
      return &diary != &but && (diary.of_a ? of_a : of_b) && diary.refused &&
             *diary.refused < when && (!diary.done || *diary.done + 1s > when);
    });
  }

  void answers() {
    for (const Try& one : h_.tries) {
      const int status = one.told.status;
      const bool retryable = status == 409 || status == 429 || status == 503 || status == 507;
      if (retryable && one.told.retry_after() < 1)
        broken("refused without Retry-After: {}", status);
      const bool expected = status == 0 || retryable || status == (writes(one) ? 201 : 200) ||
                            (status == 401 && one.who == Who::forger);
      if (!expected) broken("unexpected status {} to {}", status, static_cast<int>(one.who));
      if (one.who == Who::probe && status != 200 && status != 0) broken("a probe was shed");
    }
    ++findings_.checks;
  }

  void nothing_lost() {
    std::map<Uuid, std::vector<const StoredDiary*>> stored;
    for (const auto& diary : h_.platter->diaries)
      stored[diary.facts.submission_id].push_back(&diary);
    const auto effects = h_.platform->applied.find(std::string{destination});
    for (const Diary& diary : h_.diaries) {
      if (!diary.in && !diary.given_up) broken("a client was never answered");
      const auto& rows = stored[diary.id];
      if (rows.size() > 1) broken("stored twice");
      if (!diary.in) continue;
      if (rows.empty()) {
        broken("acknowledged and lost");
        continue;
      }
      const auto found = effects->second.find(rows.front()->facts.delivery_id);
      if (found == effects->second.end() || found->second != 1)
        broken("acknowledged, without its one effect");
    }
    ++findings_.checks;
  }

  // Its server said that nothing was stored, though nobody heard it.
  void departures() {
    std::set<Uuid> stored;
    for (const auto& diary : h_.platter->diaries) stored.insert(diary.facts.submission_id);
    for (const Try& one : h_.tries) {
      if (one.visit == nullptr || h_.diaries[one.diary].tries != 1) continue;
      if (!one.visit->reply.body.contains("other side had ended")) continue;
      ++findings_.checks;
      if (stored.contains(h_.diaries[one.diary].id)) broken("stored, though it was taken back");
    }
  }

  // Who is let in without asking for a share has waited no longer than the door allows.
  void door() {
    for (const Try& one : h_.tries) {
      if (one.told.status != 201 || one.told.surplus) continue;
      ++findings_.checks;
      if (one.told.read - one.told.arrived > 100ms)
        broken("accepted late: read after {} ms",
               (one.told.read - one.told.arrived).count() / 1'000'000);
    }
  }

  void needless_refusals() {
    for (const Try& one : h_.tries) {
      if (!writes(one) || one.told.status != 503 || one.who == Who::visitor) continue;
      const Instant when = one.told.answered;
      if (disturbed(one.told.arrived, when) || rush_.trial_rate) continue;
      const Diary& own = h_.diaries[one.diary];
      const bool surge = rush_.launch.meets(one.told.arrived - 3s, when);
      if (!surge && !returning(when, own, true, true)) {
        broken("refused though there was room ({:.3f})", at(when));
        continue;
      }
      // The launch of A is nothing to B, whose patients are few and known.
      if (one.of_a || !rush_.settings.limits.fair_shares || returning(when, own, false, true))
        continue;
      broken("refused for another trial's sake ({:.3f})", at(when));
    }
    findings_.checks += rush_.launch.any() && rush_.settings.limits.fair_shares;
  }

  struct Bucket {
    double level = 0, most = 0;
    Instant seen{};
    void take(Instant when, double per_s) {
      level = std::max(0.0, level - per_s * std::chrono::duration<double>(when - seen).count()) + 1;
      seen = when;
      most = std::max(most, level);
    }
  };

  void allowances() {
    const auto& limits = rush_.settings.limits.standard;
    if (!rush_.limited) return;
    ++findings_.checks;
    std::map<std::uint32_t, Bucket> buckets;
    std::map<std::pair<std::uint32_t, std::int64_t>, std::uint32_t> quotas;
    std::map<std::uint32_t, std::int64_t> latest;
    for (const Try* one : in_order()) {
      if (one->who != Who::greedy) {
        if (one->told.status == 429 && (!rush_.trial_rate || !one->of_a))
          broken("one spends another's allowance ({:.3f})", at(one->told.answered));
        continue;
      }
      if (one->told.status != 201 || one->told.replayed()) continue;
      buckets[one->life].take(one->told.read, *limits.patient_per_minute / 60);
      auto& half_day = latest[one->life];
      half_day = std::max<std::int64_t>(half_day, one->wall.time_since_epoch() / 12h);
      ++quotas[{one->life, half_day}];
    }
    for (const auto& [life, bucket] : buckets)
      if (bucket.most > *limits.patient_burst + 1) broken("over her rate: {:.0f}", bucket.most);
    for (const auto& [life, count] : quotas)
      if (count > *limits.patient_per_day + 1) broken("over her quota: {}", count);
  }

  void trial_rate() {
    const auto found = rush_.settings.limits.trials.find("RUSH-A");
    if (!rush_.trial_rate || found == rush_.settings.limits.trials.end()) return;
    ++findings_.checks;
    std::map<std::uint32_t, Bucket> buckets;
    for (const Try* one : in_order())
      if (one->of_a && writes(*one) && one->told.status == 201 && !one->told.replayed())
        buckets[one->life].take(one->told.read, *found->second.trial_per_second);
    for (const auto& [life, bucket] : buckets)
      if (bucket.most > *found->second.trial_burst + 1)
        broken("over the trial's rate: {:.0f}", bucket.most);
  }

  std::vector<const Try*> in_order() const {
    std::vector<const Try*> tries;
    for (const Try& one : h_.tries)
      if (one.told.status != 0) tries.push_back(&one);
    std::ranges::sort(tries, {}, [](const Try* one) { return one->told.read; });
    return tries;
  }

  void cold_checks() {
    constexpr Duration window = 100ms, one = 107us;
    const auto most = 3 * window * rush_.settings.limits.cold_checks_percent / 100 / one + 2;
    findings_.checks += rush_.forging.any();
    const auto& checks = h_.cold_checks;
    for (std::size_t i = 0, first = 0; i < checks.size(); ++i) {
      while (checks[first].first != checks[i].first ||
             checks[first].second + window <= checks[i].second)
        ++first;
      if (static_cast<std::int64_t>(i - first) + 1 > most)
        return broken("cold checks over their budget ({:.3f})", at(checks[i].second));
    }
  }

  void levels() {
    constexpr Duration sampled = 150ms;
    const admission::Degradation::Rules standard;
    std::uint32_t life = 0;
    int level = 0;
    Instant since{};
    for (const Level& change : h_.levels) {
      if (change.life != life) level = 0, since = {};
      life = change.life;
      ++findings_.checks;
      if (std::abs(change.level - level) != 1) broken("levels out of order");
      if (change.level > level &&
          change.at - since < standard.up[static_cast<std::size_t>(level)].hold - sampled)
        broken("a level after too short a pressure");
      if (change.level < level && change.at - since < standard.calm - sampled)
        broken("a level taken back too soon");
      level = change.level, since = change.at;
    }
    if (h_.level_at_last != 0) broken("the level did not come back");
    if (!rush_.settings.limits.degrade_automatically) return;
    const Span& stalled = rush_.stalled;
    if (stalled.length() < 5s || rush_.crashed.meets(stalled.from - 1s, stalled.to)) return;
    ++findings_.checks;
    const bool risen = std::ranges::any_of(h_.levels, [&](const Level& change) {
      return change.level >= 2 && stalled.has(change.at);
    });
    if (!risen && level_at(stalled.from) < 2) broken("the level did not rise");
  }
  [[nodiscard]] int level_at(Instant when) const {
    int level = 0;
    for (const Level& change : h_.levels)
      if (change.at <= when) level = change.level;
    return level;
  }

  void journal_breaker() {
    const Span& stalled = rush_.stalled;
    if (!stalled.any() || rush_.crashed.meets(stalled.from - 1s, stalled.to + 4s)) return;
    // Tries that came when it had long been clear that no commit returns.
    for (const Try& one : h_.tries) {
      if (!writes(one) || one.left || one.told.arrived < stalled.from + 1500ms ||
          one.told.arrived > stalled.to - 500ms)
        continue;
      ++findings_.checks;
      const bool told = one.told.status != 0 && one.told.answered - one.told.arrived < 500ms;
      if (!told && !rush_.launch.meets(one.told.arrived - 3s, one.told.arrived))
        return broken("queued for a journal that stands still ({:.3f})", at(one.told.arrived));
    }
    const Instant from = stalled.to + 2s, to = stalled.to + 3500ms;
    if (meets({rush_.full, rush_.paced, rush_.launch}, from - 5s, to) || level_at(from) >= 4)
      return;
    int came = 0, in = 0;
    for (const Try& one : h_.tries)
      if (one.who == Who::patient && one.told.arrived >= from && one.told.arrived < to)
        ++came, in += one.told.status == 201;
    findings_.checks += came >= 10;
    if (came >= 10 && in == 0) broken("the journal is back, and diaries are refused still");
  }

  void key_fetches() {
    const auto& fetches = h_.keys->fetches;
    for (std::size_t i = 1; i < fetches.size(); ++i)
      if (fetches[i] - fetches[i - 1] < 900ms && !rush_.crashed.meets(fetches[i - 1], fetches[i]))
        return broken("keys are fetched too often");
    const Span& gone = rush_.keys_gone;
    if (!gone.any() || rush_.crashed.any() ||
        meets({rush_.launch, rush_.stalled}, gone.from - 5s, gone.to + 8s))
      return;
    if (gone.length() > 4s) {
      ++findings_.checks;
      for (Instant from = gone.from + 1s; from + 2500ms < gone.to; from += 500ms)
        if (std::ranges::none_of(
                fetches, [&](Instant fetch) { return fetch >= from && fetch < from + 2500ms; }))
          return broken("nobody asks for the key any more");
    }
    for (const Try& one : h_.tries) {
      if (one.who != Who::visitor || one.told.arrived < gone.to + 2s ||
          one.told.arrived > gone.to + 6s || one.told.status == 0)
        continue;
      ++findings_.checks;
      if (one.told.status == 201 || disturbed(one.told.arrived, one.told.answered)) continue;
      if (rush_.forging.meets(one.told.arrived - 1s, one.told.answered)) continue;
      return broken("the key is there, and its bearers are refused still ({:.3f})",
                    at(one.told.arrived));
    }
  }

  /// Nothing but the destination keeps deliveries from flowing.
  [[nodiscard]] bool owed_all_the_time(Instant from, Instant to) const {
    return !meets({rush_.stalled, rush_.full, rush_.paced, rush_.crashed, rush_.launch}, from - 6s,
                  to + 1s) &&
           std::ranges::none_of(h_.levels, [&](const Level& level) { return level.level >= 3; });
  }
  [[nodiscard]] std::size_t tries_in(Instant from, Instant to) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        h_.platform->tries,
        [&](const SimPlatform::Try& one) { return one.at >= from && one.at < to; }));
  }

  [[nodiscard]] std::size_t applied_in(Instant from, Instant to) const {
    return static_cast<std::size_t>(std::ranges::count_if(
        h_.platform->tries,
        [&](const SimPlatform::Try& one) { return one.applied && one.at >= from && one.at < to; }));
  }

  void destination_probes() {
    const Span& ill = rush_.ill;
    const bool shut = rush_.illness == Illness::dead || rush_.illness == Illness::hangs ||
                      rush_.illness == Illness::fails;
    if (!shut || ill.length() < 7s || !owed_all_the_time(ill.from, ill.to)) return;
    ++findings_.checks;
    const Instant from = ill.from + 4s;
    const double span = std::chrono::duration<double>(ill.to - from).count();
    const auto tries = static_cast<double>(tries_in(from, ill.to));
    if (tries > 2 * span + 4) broken("more than a few probes: {} in {:.1f} s", tries, span);
    if (tries < span - 2) broken("less than a probe a second: {} in {:.1f} s", tries, span);
  }

  void destination_heals() {
    const Span& ill = rush_.ill;
    const Instant from = ill.to + 2s, to = ill.to + 3s;
    if (!ill.any() || !owed_all_the_time(ill.from, to)) return;
    ++findings_.checks;
    const std::size_t applied = applied_in(from, to);
    if (applied < 20) broken("not back in service within 2 s: {} in the third", applied);
  }

  // While the launch owes it hundreds a second, of which it would fail most.
  void throttle() {
    const Instant from = rush_.launch.from + 500ms, to = rush_.launch.to + 1s;
    if (rush_.illness != Illness::mostly || rush_.launch.length() < 1500ms ||
        rush_.ill.from > from - 2s || rush_.ill.to < to ||
        meets({rush_.stalled, rush_.full, rush_.paced, rush_.crashed}, from - 6s, to))
      return;
    ++findings_.checks;
    const double span = std::chrono::duration<double>(to - from).count();
    const auto tries = static_cast<double>(tries_in(from, to));
    if (tries > 65 * span) broken("not thinned out: {} in {:.1f} s", tries, span);
  }

  void retry_budget() {
    const Span& ill = rush_.ill;
    if (rush_.illness != Illness::half || ill.length() < 4s || !owed_all_the_time(ill.from, ill.to))
      return;
    ++findings_.checks;
    std::set<Uuid> seen;
    double first = 0, again = 0;
    for (const SimPlatform::Try& one : h_.platform->tries) {
      const bool fresh = seen.insert(one.delivery_id).second;
      if (ill.has(one.at)) (fresh ? first : again) += 1;
    }
    const double span = std::chrono::duration<double>(ill.length()).count();
    if (again > 0.1 * first + 11 * span + 15)
      broken("retries over their budget: {} beside {} in {:.1f} s", again, first, span);
  }

  void concurrency() {
    const Span& ill = rush_.ill;
    if (rush_.illness != Illness::queues || ill.length() < 5s ||
        !owed_all_the_time(ill.from, ill.to))
      return;
    ++findings_.checks;
    double sum = 0, count = 0;
    for (const SimPlatform::Try& one : h_.platform->tries)
      if (one.at >= ill.from + 3s && one.at < ill.to) sum += one.in_flight, ++count;
    if (count > 0 && sum / count > 50)
      broken("more in flight than keeps it busy: {:.0f}", sum / count);
  }

  const Happened& h_;
  const Rush& rush_;
  RushFindings& findings_;
};

}  // namespace

void check(const Happened& happened, RushFindings& findings) {
  Checks{happened, findings}.run();
}

}  // namespace vesper::sim
