#pragma once
#include <cstdint>
#include <span>

namespace vesper::access {

/// True when an RSA modulus has the form that Infineon's broken key generator left behind.
///   Shape: big-endian bytes of the modulus.
///   Bounds: a sound key is taken for a weak one with a chance below 2^-25.
///   Source: Nemec, Sys, Svenda, Klinec, Matyas: The Return of Coppersmith's Attack, CCS 2017
///   (CVE-2017-15361): every prime is k*M + 65537^a mod M with M the product of the first primes,
///   so the modulus lies in the subgroup of 65537 modulo each of them.
[[nodiscard]] bool roca_weak(std::span<const std::uint8_t> modulus);

/// True when 32 bytes encode an Ed25519 point of order 1, 2, 4 or 8, in any of its encodings: such
/// a key accepts signatures that nobody made.
[[nodiscard]] bool ed25519_small_order(std::span<const std::uint8_t, 32> point);

}  // namespace vesper::access
