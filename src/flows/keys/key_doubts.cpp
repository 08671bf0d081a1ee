#include "flows/keys/key_doubts.hpp"

#include <algorithm>

namespace vesper {

bool KeyDoubts::absent(std::string_view kid, Instant now) {
  std::erase_if(absent_, [&](const Absent& a) { return now >= a.until; });
  if (std::ranges::any_of(absent_, [&](const Absent& a) { return a.kid == kid; })) return true;
  wanted_ = true;
  if (asked_.size() < kids_max && std::ranges::find(asked_, kid) == asked_.end())
    asked_.emplace_back(kid);
  return false;
}

void KeyDoubts::fetch_began() {
  wanted_ = false;
  in_question_ = std::move(asked_);
  asked_.clear();
}

void KeyDoubts::fetch_succeeded(const access::KeySet& keys, Instant now) {
  for (std::string& kid : in_question_)
    if (keys.find(kid) == nullptr && absent_.size() < kids_max)
      absent_.push_back({std::move(kid), now + absent_for_});
  in_question_.clear();
  std::erase_if(absent_, [&](const Absent& a) { return keys.find(a.kid) != nullptr; });
}

}  // namespace vesper
