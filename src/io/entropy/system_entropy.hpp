#pragma once
#include "ports/entropy.hpp"

namespace vesper {

/// The operating system's random numbers, fit for secrets.
///   Bounds: each thread keeps 1 KiB read ahead; what is handed out is wiped from it.
///   Thread: any; one system call per 1 KiB.
///   Why: getrandom costs 0.3 us a call, and a diary needs a salt and identifiers.
class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace vesper
