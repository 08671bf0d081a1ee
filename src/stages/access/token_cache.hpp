#pragma once
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/sip_hash.hpp"
#include "base/time.hpp"
#include "stages/access/verifier.hpp"

namespace vesper::access {

/// Tokens that have verified, so that a patient's second request costs a look-up.
///   Shape: chained hash table over slots; a full table lets go by CLOCK.
///   Bounds: entries_max and bytes_max, tokens and callers included; eviction looks at 64 slots.
///   Thread: one owner, such as a shard.
///   Why: one ES256 verification costs as much as ten whole HTTP requests. Only verified tokens
///   come in, so nobody can fill it with rubbish; the hash is keyed and the whole token compared,
///   so nobody can aim at a bucket or pass with a part of a token. Source: Corbato, CLOCK (1968).
class TokenCache {
 public:
  struct Limits {
    std::size_t entries_max = 32'768;
    std::size_t bytes_max = 32 * 1024 * 1024;
  };
  TokenCache(Limits limits, HashSeed seed);

  /// The caller of exactly this token, if its validity holds at `now`; otherwise nullptr, and a
  /// token that has expired is gone.
  [[nodiscard]] std::shared_ptr<const Caller> find(std::string_view token, WallTime now);
  void keep(std::string_view token, const VerifiedToken& verified);
  void flush();

  [[nodiscard]] std::size_t entries() const { return entries_; }
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Slot {
    std::uint64_t hash = 0;
    std::unique_ptr<char[]> token;
    std::uint32_t token_size = 0, next = none;
    std::uint32_t bytes = 0;
    bool used = false;  ///< since the hand last passed
    Validity validity{};
    std::shared_ptr<const Caller> caller;  ///< nullptr: free
  };
  static constexpr std::uint32_t none = 0xffffffff;

  [[nodiscard]] std::uint64_t hash_of(std::string_view token) const;
  [[nodiscard]] std::uint32_t& bucket_of(std::uint64_t hash);
  [[nodiscard]] std::uint32_t free_slot();
  void evict();
  void remove(std::uint32_t index);

  Limits limits_;
  HashSeed seed_;
  std::vector<std::uint32_t> buckets_;
  std::vector<Slot> slots_;
  std::vector<std::uint32_t> free_;
  std::size_t entries_ = 0, bytes_ = 0;
  std::uint32_t hand_ = 0;
};

}  // namespace vesper::access
