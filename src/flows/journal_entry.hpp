#pragma once
#include <string_view>

#include "flows/judgement.hpp"
#include "model/journal.hpp"

namespace vesper {

/// What the request adds to the diary itself.
struct Sending {
  Uuid submission_id;
  std::string_view source;  ///< bytes as sent
  WallTime received_at;
  const Caller& caller;
};

/// All that the journal keeps of one judged diary: views into the arguments, which must outlive it.
[[nodiscard]] JournalEntry journal_entry(const Diary& diary, const Judgement& judgement,
                                         const Trial& trial, const Sending& sending);

}  // namespace vesper
