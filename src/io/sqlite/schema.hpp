#pragma once
#include <cstdint>
#include <expected>

#include "io/sqlite/connection.hpp"
#include "io/sqlite/journal_options.hpp"

namespace vesper {

inline constexpr std::int32_t journal_application_id = 0x56737072;  // "Vspr"
/// The version that this program writes: how many steps there are.
[[nodiscard]] int schema_version();

/// Makes a new journal, or brings an old one forward; then the writer's settings hold.
///   Errors: not_a_journal, from_the_future, wrong_settings, unsafe_sqlite; throws SqliteError.
[[nodiscard]] std::expected<void, OpenFailure> prepare_schema(Connection& connection,
                                                              const SqliteOptions& options);

}  // namespace vesper
