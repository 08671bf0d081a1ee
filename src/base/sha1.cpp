#include "base/sha1.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

namespace vesper {
namespace {

constexpr std::array<std::uint32_t, 5> initial{0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476,
                                               0xc3d2e1f0};

#if defined(__x86_64__)
#define VESPER_SHA_TARGET [[gnu::target("sha,sse4.1,ssse3")]]

struct Lanes {
  __m128i abcd, before;  // before: a-d four rounds ago, from which the next e comes
  __m128i word[4];
};

// Rounds 20 * Quarter to 20 * Quarter + 19, four at a time.
template <int Quarter>
VESPER_SHA_TARGET [[gnu::always_inline]] inline void twenty_rounds(Lanes& s) {
#pragma clang loop unroll(full)
  for (int group = 5 * Quarter; group < 5 * Quarter + 5; ++group) {
    __m128i& w = s.word[group % 4];
    if (group >= 4)
      w = _mm_sha1msg2_epu32(
          _mm_xor_si128(_mm_sha1msg1_epu32(w, s.word[(group + 1) % 4]), s.word[(group + 2) % 4]),
          s.word[(group + 3) % 4]);
    const __m128i e = group == 0 ? _mm_add_epi32(s.before, w) : _mm_sha1nexte_epu32(s.before, w);
    s.before = s.abcd;
    s.abcd = _mm_sha1rnds4_epu32(s.abcd, e, Quarter);
  }
}

VESPER_SHA_TARGET void compress_accelerated(std::uint32_t* state, const std::uint8_t* block) {
  const __m128i swap = _mm_set_epi64x(0x0001020304050607, 0x08090a0b0c0d0e0f);
  Lanes s;
  for (int i = 0; i < 4; ++i)
    s.word[i] =
        _mm_shuffle_epi8(_mm_loadu_si128(reinterpret_cast<const __m128i*>(block + 16 * i)), swap);
  const __m128i abcd =
      _mm_shuffle_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(state)), 0x1b);
  const __m128i e = _mm_set_epi32(static_cast<int>(state[4]), 0, 0, 0);
  s.abcd = abcd;
  s.before = e;
  twenty_rounds<0>(s);
  twenty_rounds<1>(s);
  twenty_rounds<2>(s);
  twenty_rounds<3>(s);
  const __m128i last = _mm_sha1nexte_epu32(s.before, e);
  _mm_storeu_si128(reinterpret_cast<__m128i*>(state),
                   _mm_shuffle_epi32(_mm_add_epi32(s.abcd, abcd), 0x1b));
  state[4] = static_cast<std::uint32_t>(_mm_extract_epi32(last, 3));
}

bool has_sha_instructions() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & bit_SSSE3) == 0 || (c & bit_SSE4_1) == 0)
    return false;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_SHA) != 0;
}
#endif

void compress(std::uint32_t* state, const std::uint8_t* block) {
  static const Sha1Compress best =
      sha1_compress_accelerated() ? sha1_compress_accelerated() : sha1_compress_portable;
  best(state, block);
}

std::array<std::uint8_t, 20> digest_of(const std::array<std::uint32_t, 5>& h) {
  std::array<std::uint8_t, 20> out;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::uint32_t big = std::byteswap(h[i]);
    std::memcpy(out.data() + 4 * i, &big, 4);
  }
  return out;
}

}  // namespace

void sha1_compress_portable(std::uint32_t* state, const std::uint8_t* p) {
  std::uint32_t w[80];
  for (int i = 0; i < 16; ++i)
    w[i] = std::uint32_t{p[4 * i]} << 24 | std::uint32_t{p[4 * i + 1]} << 16 |
           std::uint32_t{p[4 * i + 2]} << 8 | p[4 * i + 3];
  for (int i = 16; i < 80; ++i) w[i] = std::rotl(w[i - 3] ^ w[i - 8] ^ w[i - 14] ^ w[i - 16], 1);
  std::uint32_t a = state[0], b = state[1], c = state[2], d = state[3], e = state[4];
  const auto step = [&](std::uint32_t f, std::uint32_t k, std::uint32_t word) {
    const std::uint32_t t = std::rotl(a, 5) + f + e + k + word;
    e = d, d = c, c = std::rotl(b, 30), b = a, a = t;
  };
  for (int i = 0; i < 20; ++i) step((b & c) | (~b & d), 0x5a827999, w[i]);
  for (int i = 20; i < 40; ++i) step(b ^ c ^ d, 0x6ed9eba1, w[i]);
  for (int i = 40; i < 60; ++i) step((b & c) | (b & d) | (c & d), 0x8f1bbcdc, w[i]);
  for (int i = 60; i < 80; ++i) step(b ^ c ^ d, 0xca62c1d6, w[i]);
  state[0] += a, state[1] += b, state[2] += c, state[3] += d, state[4] += e;
}

Sha1Compress sha1_compress_accelerated() {
#if defined(__x86_64__)
  static const bool present = has_sha_instructions();
  return present ? compress_accelerated : nullptr;
#else
  return nullptr;
#endif
}

std::array<std::uint8_t, 20> sha1_of_padded_block(const std::uint8_t* block) {
  std::array<std::uint32_t, 5> h = initial;
  compress(h.data(), block);
  return digest_of(h);
}

void Sha1::update(const void* data, std::size_t size) {
  const auto* p = static_cast<const std::uint8_t*>(data);
  std::size_t used = total_ % 64;
  total_ += size;
  while (size > 0) {
    const std::size_t n = std::min(size, 64 - used);
    std::memcpy(buffer_.data() + used, p, n);
    used += n, p += n, size -= n;
    if (used == 64) compress(h_.data(), buffer_.data()), used = 0;
  }
}

std::array<std::uint8_t, 20> Sha1::finish() {
  const std::uint64_t bits = total_ * 8;
  constexpr std::array<std::uint8_t, 64> padding{0x80};
  update(padding.data(), 1 + (119 - total_ % 64) % 64);
  std::array<std::uint8_t, 8> length{};
  for (std::size_t i = 0; i < 8; ++i) length[i] = static_cast<std::uint8_t>(bits >> (56 - 8 * i));
  update(length.data(), 8);
  return digest_of(h_);
}

}  // namespace vesper
