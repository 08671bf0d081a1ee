#include "drill/ledger.hpp"

#include <algorithm>

namespace vesper::drill {
namespace {

constexpr std::size_t examples_max = 10;

void note(LedgerVerdict& verdict, std::uint64_t& count, const Uuid& delivery) {
  ++count;
  if (verdict.examples.size() < examples_max) verdict.examples.push_back(delivery);
}

}  // namespace

void Ledger::tried(std::uint32_t patient, const Uuid& delivery, Duration sent, Duration ended,
                   Told told) {
  const auto [at, fresh] = diaries_.try_emplace(delivery);
  Diary& diary = at->second;
  if (fresh) {
    diary.patient = patient;
    diary.first_sent = sent;
  }
  diary.first_sent = std::min(diary.first_sent, sent);
  diary.open |= told == Told::nothing;
  if (told != Told::accepted) return;
  if (!diary.accepted) {
    diary.acknowledged_at = ended;
    ++acknowledged_;
  }
  diary.acknowledged_at = std::min(diary.acknowledged_at, ended);
  diary.accepted = true;
}

LedgerVerdict Ledger::judge(std::span<const Uuid> effects) const {
  LedgerVerdict verdict;
  Places places;
  for (std::size_t i = 0; i < effects.size(); ++i) {
    if (!places.try_emplace(effects[i], i).second) note(verdict, verdict.doubled, effects[i]);
    const auto known = diaries_.find(effects[i]);
    if (known == diaries_.end() || (!known->second.accepted && !known->second.open))
      note(verdict, verdict.unexpected, effects[i]);
  }
  for (const auto& [delivery, diary] : diaries_) {
    if (diary.accepted) {
      ++verdict.acknowledged;
      if (!places.contains(delivery)) note(verdict, verdict.lost, delivery);
    } else {
      ++(diary.open ? verdict.open : verdict.refused);
    }
  }
  judge_order(places, verdict);
  return verdict;
}

// Each of a patient's diaries must stand behind every one that was acknowledged before it was sent.
void Ledger::judge_order(const Places& places, LedgerVerdict& verdict) const {
  struct Event {
    std::uint32_t patient;
    Duration at;
    bool sent;  // else acknowledged: at equal times that comes first
    std::size_t place;
    const Uuid* delivery;
  };
  std::vector<Event> events;
  for (const auto& [delivery, diary] : diaries_) {
    const auto place = places.find(delivery);
    if (place == places.end()) continue;
    events.push_back({diary.patient, diary.first_sent, true, place->second, &delivery});
    if (diary.accepted)
      events.push_back({diary.patient, diary.acknowledged_at, false, place->second, &delivery});
  }
  std::ranges::sort(events, [](const Event& a, const Event& b) {
    return std::tie(a.patient, a.at, a.sent) < std::tie(b.patient, b.at, b.sent);
  });
  std::size_t farthest = 0;
  const Event* before = nullptr;
  for (const Event& event : events) {
    if (before != nullptr && before->patient != event.patient) farthest = 0;
    before = &event;
    if (!event.sent)
      farthest = std::max(farthest, event.place + 1);
    else if (event.place + 1 < farthest)
      note(verdict, verdict.misordered, *event.delivery);
  }
}

}  // namespace vesper::drill
