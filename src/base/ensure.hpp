#pragma once
#include <source_location>

namespace vesper {

[[noreturn]] void ensure_failed(std::source_location where) noexcept;

/// Aborts when one of our own invariants does not hold; on in every build.
///   Errors: none to handle. Never called on what a client, a file or a peer decides.
constexpr void ensure(bool holds,
                      std::source_location where = std::source_location::current()) noexcept {
  if (!holds) [[unlikely]]
    ensure_failed(where);
}

}  // namespace vesper
