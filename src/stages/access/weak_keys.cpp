#include "stages/access/weak_keys.hpp"

#include <algorithm>
#include <array>
#include <bitset>

namespace vesper::access {
namespace {

// The first 38 odd primes: those of the smallest M in use (512-bit keys); larger keys use more of
// them, so a weak key of any size shows here.
constexpr std::array<std::uint32_t, 38> roca_primes{
    3,  5,  7,  11, 13, 17,  19,  23,  29,  31,  37,  41,  43,  47,  53,  59,  61,  67,  71,
    73, 79, 83, 89, 97, 101, 103, 107, 109, 113, 127, 131, 137, 139, 149, 151, 157, 163, 167};

bool in_subgroup_of_65537(std::uint32_t value, std::uint32_t prime) {
  std::uint32_t power = 1;
  do {
    if (power == value) return true;
    power = power * (65537 % prime) % prime;
  } while (power != 1);
  return false;
}

using Point = std::array<std::uint8_t, 32>;

constexpr Point y_of(std::uint8_t first, std::uint8_t middle, std::uint8_t last) {
  Point p{};
  p.fill(middle);
  p[0] = first;
  p[31] = last;
  return p;
}

// y coordinates, little-endian, of the eight points of small order; the last two are p and p + 1,
// second encodings of 0 and 1.
constexpr std::array<Point, 7> small_order_y{
    y_of(0x00, 0x00, 0x00),
    y_of(0x01, 0x00, 0x00),
    y_of(0xec, 0xff, 0x7f),
    Point{0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
          0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
          0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
    Point{0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
          0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
          0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a},
    y_of(0xed, 0xff, 0x7f),
    y_of(0xee, 0xff, 0x7f)};

}  // namespace

bool roca_weak(std::span<const std::uint8_t> modulus) {
  return std::ranges::all_of(roca_primes, [&](std::uint32_t prime) {
    std::uint32_t rest = 0;
    for (const std::uint8_t byte : modulus) rest = (rest << 8 | byte) % prime;
    return in_subgroup_of_65537(rest, prime);
  });
}

bool ed25519_small_order(std::span<const std::uint8_t, 32> point) {
  Point y;
  std::ranges::copy(point, y.begin());
  y[31] &= 0x7f;  // the sign of x
  return std::ranges::find(small_order_y, y) != small_order_y.end();
}

}  // namespace vesper::access
