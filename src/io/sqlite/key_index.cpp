#include "io/sqlite/key_index.hpp"

#include <algorithm>
#include <cstring>

namespace vesper {
namespace {

std::uint64_t big_endian(const std::uint8_t* bytes) {
  std::uint64_t value = 0;
  std::memcpy(&value, bytes, sizeof value);
  return __builtin_bswap64(value);
}
std::uint64_t prefix_of(const Uuid& submission_id) {
  return big_endian(submission_id.bytes.data());
}
// The last eight bytes: the first eight hold the version nibble among the bits a mask would take.
std::size_t hash_of(const Uuid& delivery_id) {
  return big_endian(delivery_id.bytes.data() + 8);
}

}  // namespace

IndexKey index_key(const Uuid& submission_id, const Uuid& delivery_id) {
  IndexKey key;
  std::copy_n(submission_id.bytes.begin(), 8, key.begin());
  std::ranges::copy(delivery_id.bytes, key.begin() + 8);
  return key;
}

std::optional<Position> KeyTail::find(const Uuid& delivery_id) const {
  if (size_ == 0) return std::nullopt;
  const std::size_t mask = slots_.size() - 1;
  for (std::size_t i = hash_of(delivery_id) & mask; slots_[i].position != 0; i = (i + 1) & mask)
    if (slots_[i].delivery_id == delivery_id) return slots_[i].position;
  return std::nullopt;
}

void KeyTail::insert(const Entry& entry) {
  if (2 * (size_ + 1) > slots_.size()) {
    std::vector<Entry> old(slots_.empty() ? 4096 : slots_.size() * 2);
    old.swap(slots_);
    size_ = 0;
    for (const Entry& kept : old)
      if (kept.position != 0) insert(kept);
  }
  const std::size_t mask = slots_.size() - 1;
  std::size_t i = hash_of(entry.delivery_id) & mask;
  while (slots_[i].position != 0) i = (i + 1) & mask;
  slots_[i] = entry;
  ++size_;
}

void KeyTail::clear() {
  std::ranges::fill(slots_, Entry{});
  size_ = 0;
}

KeyIndex::KeyIndex(Connection& connection, std::size_t run_keys, std::size_t slice_keys)
    : run_keys_(run_keys),
      slice_keys_(slice_keys),
      connection_(&connection),
      select_(connection.prepare("SELECT position FROM keys WHERE key=?1")),
      insert_(connection.prepare("INSERT OR IGNORE INTO keys(key,position) VALUES(?1,?2)")),
      finish_(
          connection.prepare("INSERT OR REPLACE INTO meta(name,value) VALUES('indexed_to',?1)")) {}

void KeyIndex::load() {
  const std::lock_guard lock(mutex_);
  current_.clear();
  sealed_.clear();
  run_.clear();
  run_done_ = 0;
  finished_ = false;
  auto rows = connection_->prepare(
      "SELECT position,submission_id,delivery_id FROM diaries WHERE position>"
      "(SELECT coalesce((SELECT value FROM meta WHERE name='indexed_to'),0))");
  while (rows.step()) {
    const Uuid submission{rows.exactly<16>(1)};
    last_position_ = static_cast<Position>(rows.integer(0));
    current_.insert({prefix_of(submission), Uuid{rows.exactly<16>(2)}, last_position_});
  }
  greatest_.reset();
  auto greatest = connection_->prepare("SELECT key FROM keys ORDER BY key DESC LIMIT 1");
  if (greatest.step()) {
    greatest_ = greatest.exactly<24>(0);
    greatest.reset();
  }
}

std::optional<Position> KeyIndex::find(const Uuid& submission_id, const Uuid& delivery_id) {
  if (const auto recent = current_.find(delivery_id)) return recent;
  if (const auto recent = sealed_.find(delivery_id)) return recent;
  const IndexKey key = index_key(submission_id, delivery_id);
  if (!greatest_ || key > *greatest_) return std::nullopt;
  select_.bind_blob(1, key);
  if (!select_.step()) return std::nullopt;
  const auto position = static_cast<Position>(select_.integer(0));
  select_.reset();
  return position;
}

void KeyIndex::insert(const Uuid& submission_id, const Uuid& delivery_id, Position position) {
  const std::lock_guard lock(mutex_);
  current_.insert({prefix_of(submission_id), delivery_id, position});
  last_position_ = position;
}

void KeyIndex::seal() {
  const std::lock_guard lock(mutex_);
  std::swap(current_, sealed_);
  run_.clear();
  run_.reserve(sealed_.size());
  for (const auto& entry : sealed_.slots()) {
    if (entry.position == 0) continue;
    RunKey& run = run_.emplace_back();
    const std::uint64_t prefix = __builtin_bswap64(entry.prefix);
    std::memcpy(run.key.data(), &prefix, sizeof prefix);
    std::ranges::copy(entry.delivery_id.bytes, run.key.begin() + 8);
    run.position = entry.position;
  }
  std::ranges::sort(run_, {}, &RunKey::key);
  run_done_ = 0;
}

bool KeyIndex::write_slice(std::size_t group_entries) {
  if (run_.empty()) {
    if (current_.size() < run_keys_) return false;
    seal();
  }
  const std::size_t end =
      std::min(run_.size(), run_done_ + std::max(slice_keys_, 4 * group_entries));
  for (; run_done_ < end; ++run_done_) {
    const RunKey& next = run_[run_done_];
    insert_.bind_blob(1, next.key).bind(2, static_cast<std::int64_t>(next.position)).run();
  }
  if (run_done_ == run_.size()) {
    Position last = 0;
    for (const RunKey& key : run_) last = std::max(last, key.position);
    finish_.bind(1, static_cast<std::int64_t>(last)).run();
    finished_ = true;
  }
  // A part of a run may hold greater keys than its end was checked for: the greatest counts at
  // once.
  if (run_done_ > 0 && (!greatest_ || run_[run_done_ - 1].key > *greatest_))
    greatest_ = run_[run_done_ - 1].key;
  return true;
}

bool KeyIndex::seal_all() {
  if (!run_.empty()) return true;
  if (current_.size() == 0) return false;
  seal();
  return true;
}

void KeyIndex::after_commit() {
  if (!finished_) return;
  const std::lock_guard lock(mutex_);
  sealed_.clear();
  run_.clear();
  finished_ = false;
}

std::optional<Position> KeyIndex::find_recent(const Uuid& delivery_id) const {
  const std::lock_guard lock(mutex_);
  if (const auto recent = current_.find(delivery_id)) return recent;
  return sealed_.find(delivery_id);
}

std::vector<Position> KeyIndex::recent_of(const Uuid& submission_id) const {
  const std::uint64_t prefix = prefix_of(submission_id);
  std::vector<Position> found;
  const std::lock_guard lock(mutex_);
  for (const KeyTail* tail : {&current_, &sealed_})
    for (const auto& entry : tail->slots())
      if (entry.position != 0 && entry.prefix == prefix) found.push_back(entry.position);
  return found;
}

}  // namespace vesper
