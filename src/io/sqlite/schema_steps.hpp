#pragma once
#include <span>

namespace vesper {

/// What brings a journal from one schema version to the next: element n makes version n + 1.
///   Shape: SQL that only adds tables, columns and indexes; a step that was released never changes.
[[nodiscard]] std::span<const char* const> schema_steps();

}  // namespace vesper
