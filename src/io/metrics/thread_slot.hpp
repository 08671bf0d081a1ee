#pragma once
#include <cstddef>

namespace vesper {

/// A small number that no other live thread has, so that per-thread data can stand in an array.
///   Bounds: 0 to thread_slots - 1. The last one is shared by all threads that came too late.
///   Thread: given at a thread's first call, free again when it ends.
inline constexpr std::size_t thread_slots = 64;
inline constexpr std::size_t shared_slot = thread_slots - 1;
[[nodiscard]] std::size_t thread_slot();

}  // namespace vesper
