#include "stages/access/token_cache.hpp"

#include <bit>
#include <cstring>

#include "base/ensure.hpp"

namespace vesper::access {
namespace {

constexpr std::size_t hashed_bytes = 32;
constexpr int eviction_steps_max = 64;

std::size_t bytes_held(std::string_view token, const Caller& caller) {
  std::size_t bytes = token.size() + sizeof(Caller) + 160;  // slot, bucket and control block
  for (const std::string* text : {&caller.issuer, &caller.kid, &caller.algorithm, &caller.jti,
                                  &caller.acr, &caller.amr, &caller.subject, &caller.site})
    bytes += text->size();
  for (const std::string& trial : caller.trials) bytes += sizeof(std::string) + trial.size();
  return bytes;
}

}  // namespace

TokenCache::TokenCache(Limits limits, HashSeed seed) : limits_(limits), seed_(seed) {
  ensure(limits.entries_max > 0 && limits.entries_max < none / 2);
  buckets_.assign(std::bit_ceil(limits.entries_max), none);
}

// Hashes the token's last characters alone: they are its signature, which nobody without the key
// can choose, and which differs wherever the rest differs.
std::uint64_t TokenCache::hash_of(std::string_view token) const {
  std::uint64_t words[hashed_bytes / 8];
  std::memcpy(words, token.data() + token.size() - hashed_bytes, hashed_bytes);
  SipHash hash{seed_};
  for (const std::uint64_t word : words) hash.add(word);
  hash.add(static_cast<std::uint64_t>(token.size()));
  return hash.finish();
}

std::uint32_t& TokenCache::bucket_of(std::uint64_t hash) {
  return buckets_[hash & (buckets_.size() - 1)];
}

std::shared_ptr<const Caller> TokenCache::find(std::string_view token, WallTime now) {
  if (token.size() < hashed_bytes) return nullptr;
  const std::uint64_t hash = hash_of(token);
  for (std::uint32_t at = bucket_of(hash); at != none; at = slots_[at].next) {
    Slot& slot = slots_[at];
    if (slot.hash != hash || slot.token_size != token.size() ||
        std::memcmp(slot.token.get(), token.data(), token.size()) != 0)
      continue;
    if (slot.validity.holds(now)) [[likely]] {
      slot.used = true;
      return slot.caller;
    }
    if (now >= slot.validity.until) remove(at);
    return nullptr;
  }
  return nullptr;
}

void TokenCache::keep(std::string_view token, const VerifiedToken& verified) {
  const std::size_t bytes = bytes_held(token, *verified.caller);
  if (token.size() < hashed_bytes || bytes > limits_.bytes_max) return;
  const std::uint64_t hash = hash_of(token);
  for (std::uint32_t at = bucket_of(hash); at != none; at = slots_[at].next)
    if (slots_[at].hash == hash && slots_[at].token_size == token.size() &&
        std::memcmp(slots_[at].token.get(), token.data(), token.size()) == 0)
      return;
  while (entries_ == limits_.entries_max || bytes_ + bytes > limits_.bytes_max) evict();
  const std::uint32_t at = free_slot();
  Slot& slot = slots_[at];
  slot.hash = hash;
  slot.token = std::make_unique_for_overwrite<char[]>(token.size());
  std::memcpy(slot.token.get(), token.data(), token.size());
  slot.token_size = static_cast<std::uint32_t>(token.size());
  slot.bytes = static_cast<std::uint32_t>(bytes);
  slot.used = false;
  slot.validity = verified.validity;
  slot.caller = verified.caller;
  slot.next = bucket_of(hash);
  bucket_of(hash) = at;
  ++entries_;
  bytes_ += bytes;
}

void TokenCache::flush() {
  buckets_.assign(buckets_.size(), none);
  slots_.clear();
  free_.clear();
  entries_ = bytes_ = 0;
  hand_ = 0;
}

std::uint32_t TokenCache::free_slot() {
  if (free_.empty()) {
    slots_.emplace_back();
    return static_cast<std::uint32_t>(slots_.size() - 1);
  }
  const std::uint32_t at = free_.back();
  free_.pop_back();
  return at;
}

void TokenCache::evict() {
  ensure(entries_ > 0);
  for (int step = 0;; ++step) {
    const std::uint32_t at = hand_;
    hand_ = hand_ + 1 < slots_.size() ? hand_ + 1 : 0;
    Slot& slot = slots_[at];
    if (slot.caller == nullptr) continue;
    if (!slot.used || step >= eviction_steps_max) return remove(at);
    slot.used = false;
  }
}

void TokenCache::remove(std::uint32_t index) {
  Slot& slot = slots_[index];
  std::uint32_t* link = &bucket_of(slot.hash);
  while (*link != index) link = &slots_[*link].next;
  *link = slot.next;
  --entries_;
  bytes_ -= slot.bytes;
  slot = Slot{};
  free_.push_back(index);
}

}  // namespace vesper::access
