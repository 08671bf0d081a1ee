#include "io/sqlite/fresh_diaries.hpp"

#include <algorithm>
#include <utility>

namespace vesper {
namespace {

constexpr std::size_t slots_max = 16'384, spare_max = 512, spare_bytes_max = 4096;

void fill(StoredDiary* diary, const FreshDiaries::Staged& staged) {
  const EntryContext& shared = staged.context;
  diary->position = staged.facts.position;
  diary->trial_id = shared.trial_id;
  diary->subject_id = staged.entry.subject_id();
  diary->form_id = shared.form_id;
  diary->form_version = shared.form_version;
  diary->source = staged.entry.source();
  diary->authored = staged.entry.authored();
  diary->site = shared.site;
  diary->app_version = shared.app_version;
  diary->trial_revision = shared.trial_revision;
  diary->media = shared.media;
  diary->issuer = shared.issuer;
  diary->kid = shared.kid;
  diary->jti = staged.entry.jti();
  diary->acr = shared.acr;
  diary->amr = shared.amr;
  diary->caller_subject = staged.entry.caller_subject();
  diary->caller_scopes = shared.scopes;
  diary->mapper_version = shared.mapper_version;
  diary->amends = staged.entry.amends;
  diary->held_reason = staged.entry.held_reason;
  diary->facts = staged.facts;
}

}  // namespace

FreshDiaries::Destination* FreshDiaries::find_destination(std::string_view name) {
  const auto at = std::ranges::find(destinations_, name, &Destination::name);
  return at == destinations_.end() ? nullptr : &*at;
}

void FreshDiaries::look_who_keeps_up() {
  wanted_.store(std::ranges::any_of(destinations_, &Destination::keeping_up),
                std::memory_order_relaxed);
}

// The names of the destinations are only added to, and only by this thread: no lock to read them.
void FreshDiaries::stage(const Staged& staged) {
  Kept kept;
  for (const auto name : staged.context.destinations) {
    const auto* to = find_destination(name);
    if (to != nullptr) kept.owed_to |= 1ull << (to - destinations_.data());
  }
  if (kept.owed_to == 0) return;
  kept.diary = room();
  fill(kept.diary.get(), staged);
  kept.lane = staged.entry.lane;
  kept.committed_at = staged.committed_at;
  kept.bytes = sizeof(StoredDiary) + staged.entry.size();
  staged_.push_back(std::move(kept));
}

void FreshDiaries::publish(const Hash& group_hash) {
  if (staged_.empty()) return;
  const std::lock_guard lock(mutex_);
  for (Kept& kept : staged_) {
    kept.diary->facts.group_hash = group_hash;
    keep(std::move(kept));
  }
  staged_.clear();
  while (bytes_ > bytes_max_ || kept_.size() > slots_max) drop_first();
  drop_settled();
  look_who_keeps_up();
}

void FreshDiaries::keep(Kept&& kept) {
  const Position position = kept.diary->position;
  // After a time in which nobody kept up there is a gap.
  while (!kept_.empty() && position - first_ >= slots_max) drop_first();
  if (kept_.empty()) first_ = position;
  while (first_ + kept_.size() < position) kept_.emplace_back();
  bytes_ += kept.bytes;
  kept_.push_back(std::move(kept));
}

void FreshDiaries::drop_first() {
  Kept& kept = kept_.front();
  for (std::size_t i = 0; i < destinations_.size(); ++i)
    if ((kept.owed_to >> i & 1) != 0 && destinations_[i].from <= first_)
      destinations_[i].keeping_up = false;
  let_go(kept);
  kept_.pop_front();
  ++first_;
}

// Used again only when nobody else has it: whoever had it let go before it could be settled.
void FreshDiaries::let_go(Kept& kept) {
  bytes_ -= std::exchange(kept.bytes, 0);
  auto diary = std::move(kept.diary);
  if (diary != nullptr && kept.owed_to == 0 && diary.use_count() == 1 &&
      spare_.size() < spare_max && diary->source.capacity() <= spare_bytes_max) {
    std::atomic_thread_fence(std::memory_order_acquire);
    spare_.push_back(std::move(diary));
  }
}

std::shared_ptr<StoredDiary> FreshDiaries::room() {
  if (spare_.empty()) return std::make_shared<StoredDiary>();
  auto diary = std::move(spare_.back());
  spare_.pop_back();
  return diary;
}

void FreshDiaries::drop_settled() {
  while (!kept_.empty() && kept_.front().owed_to == 0) drop_first();
}

void FreshDiaries::clear() {
  const std::lock_guard lock(mutex_);
  staged_.clear();
  kept_.clear();
  bytes_ = 0;
  for (Destination& destination : destinations_) destination.keeping_up = false;
  look_who_keeps_up();
}

void FreshDiaries::settled(std::string_view name, std::span<const Settlement> settlements) {
  const std::lock_guard lock(mutex_);
  const auto* from = find_destination(name);
  if (from == nullptr) return;
  const std::uint64_t others = ~(1ull << (from - destinations_.data()));
  for (const Settlement& settlement : settlements) {
    if (settlement.state != DeliveryState::delivered && settlement.state != DeliveryState::parked)
      continue;
    if (settlement.position < first_ || settlement.position - first_ >= kept_.size()) continue;
    Kept& kept = kept_[settlement.position - first_];
    kept.owed_to &= others;
    if (kept.owed_to != 0) continue;
    let_go(kept);
  }
  drop_settled();
}

void FreshDiaries::keeps_up(std::string_view name, std::int64_t id, Position told, Position next) {
  const std::lock_guard lock(mutex_);
  auto* destination = find_destination(name);
  if (destination == nullptr) {
    if (destinations_.size() == destinations_max) return;
    destination = &destinations_.emplace_back(Destination{std::string{name}, id});
  }
  destination->keeping_up = true;
  destination->told = told;
  destination->from = next;
  look_who_keeps_up();
}

void FreshDiaries::behind(std::string_view name) {
  const std::lock_guard lock(mutex_);
  auto* destination = find_destination(name);
  if (destination == nullptr || !destination->keeping_up) return;
  destination->keeping_up = false;
  look_who_keeps_up();
}

std::optional<std::vector<OwedEntry>> FreshDiaries::told(std::string_view name, Position after,
                                                         std::size_t limit) {
  const std::lock_guard lock(mutex_);
  auto* destination = find_destination(name);
  if (destination == nullptr || !destination->keeping_up || after < destination->told || limit == 0)
    return std::nullopt;
  const std::uint64_t bit = 1ull << (destination - destinations_.data());
  std::vector<OwedEntry> entries;
  Position next = std::max({destination->from, after + 1, first_});
  for (; next < first_ + kept_.size() && entries.size() < limit; ++next) {
    const Kept& kept = kept_[next - first_];
    if ((kept.owed_to & bit) == 0) continue;
    entries.push_back({next, kept.lane, kept.diary->facts.delivery_id, 0, kept.committed_at});
  }
  destination->from = std::max(destination->from, next);
  destination->told = entries.empty() ? after : entries.back().position;
  leases_.add(destination->id, entries);
  return entries;
}

std::vector<FreshDiaries::Shared> FreshDiaries::find(std::span<const Position> positions) const {
  std::vector<Shared> found;
  found.reserve(positions.size());
  const std::lock_guard lock(mutex_);
  for (const Position position : positions) {
    if (position < first_ || position - first_ >= kept_.size()) return {};
    const Kept& kept = kept_[position - first_];
    if (kept.diary == nullptr) return {};
    found.push_back(kept.diary);
  }
  return found;
}

}  // namespace vesper
