#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace vesper {

/// Secret of a keyed hash, fresh for each process.
struct HashSeed {
  std::uint64_t k0 = 0, k1 = 0;
};

/// A keyed hash of several texts and numbers: nobody without the seed can aim at a value.
///   Shape:  a text is hashed with its size, so ("ab", "c") and ("a", "bc") differ.
///   Source: Aumasson and Bernstein, SipHash (2012), in its 1-3 form; values are our own.
class SipHash {
 public:
  explicit constexpr SipHash(HashSeed seed)
      : a_(seed.k0 ^ 0x736f6d6570736575),
        b_(seed.k1 ^ 0x646f72616e646f6d),
        c_(seed.k0 ^ 0x6c7967656e657261),
        d_(seed.k1 ^ 0x7465646279746573) {}

  constexpr void add(std::uint64_t word) {
    d_ ^= word;
    round();
    a_ ^= word;
  }
  void add(std::string_view text) {
    add(static_cast<std::uint64_t>(text.size()));
    for (; text.size() >= 8; text.remove_prefix(8)) {
      std::uint64_t word = 0;
      std::memcpy(&word, text.data(), 8);
      add(word);
    }
    std::uint64_t word = 0;
    if (!text.empty()) std::memcpy(&word, text.data(), text.size());
    add(word);
  }
  [[nodiscard]] constexpr std::uint64_t finish() {
    c_ ^= 0xff;
    for (int i = 0; i < 3; ++i) round();
    return a_ ^ b_ ^ c_ ^ d_;
  }

 private:
  constexpr void round() {
    a_ += b_;
    c_ += d_;
    b_ = std::rotl(b_, 13) ^ a_;
    d_ = std::rotl(d_, 16) ^ c_;
    a_ = std::rotl(a_, 32);
    c_ += b_;
    a_ += d_;
    b_ = std::rotl(b_, 17) ^ c_;
    d_ = std::rotl(d_, 21) ^ a_;
    c_ = std::rotl(c_, 32);
  }

  std::uint64_t a_, b_, c_, d_;
};

}  // namespace vesper
