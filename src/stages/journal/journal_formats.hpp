#pragma once
#include "model/journal_rules.hpp"

namespace vesper {

/// The rules of this version, to be handed to a JournalStore when it is made.
[[nodiscard]] const JournalRules& journal_formats();

}  // namespace vesper
