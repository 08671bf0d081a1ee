#include <fmt/format.h>

#include "stages/decode/members.hpp"
#include "stages/decode/syntaxes.hpp"

namespace vesper::decoding {
namespace {

struct TextMember {
  std::string_view name;
  Stated StatedMembers::* target;
};
constexpr TextMember root_members[] = {{"submissionId", &StatedMembers::submission_id},
                                       {"trialId", &StatedMembers::trial_id},
                                       {"subjectId", &StatedMembers::subject_id},
                                       {"form", &StatedMembers::form},
                                       {"formVersion", &StatedMembers::form_version},
                                       {"authored", &StatedMembers::authored},
                                       {"language", &StatedMembers::language},
                                       {"amends", &StatedMembers::amends},
                                       {"reason", &StatedMembers::reason}};
constexpr TextMember device_members[] = {{"id", &StatedMembers::device_id},
                                         {"app", &StatedMembers::device_app}};

// Takes a member that must be a string; null counts as absent.
void take(const JsonValue& value, JsonKind kind, Stated& member, Faults& faults) {
  if (value.is(JsonKind::null)) return;
  member.given = true;
  member.text = value.text;
  if (value.is(kind)) return;
  faults.add(
      IssueCode::structure,
      fmt::format("{} must be a {}.", member.path, kind == JsonKind::string ? "string" : "number"),
      std::string{member.path});
  member.given = false;
}

template <std::size_t n>
bool take_text(const JsonValue& value, const TextMember (&table)[n], StatedMembers& members,
               Faults& faults) {
  for (const auto& entry : table) {
    if (entry.name != value.name) continue;
    take(value, JsonKind::string, members.*entry.target, faults);
    return true;
  }
  return false;
}

void take_device(const JsonValue& device, StatedMembers& members, Faults& faults) {
  if (device.is(JsonKind::null)) return;
  if (!device.is(JsonKind::object)) {
    faults.add(IssueCode::structure, "device must be an object.", "device");
    return;
  }
  for (const JsonValue& value : device)
    if (!take_text(value, device_members, members, faults) && value.name == "utcOffsetMinutes")
      take(value, JsonKind::number, members.utc_offset, faults);
}

}  // namespace

void read_json_diary(const JsonValue& root, Arena& arena, Faults& faults, Diary& diary) {
  if (!root.is(JsonKind::object)) {
    faults.add(IssueCode::structure, "The diary must be a JSON object.", std::string{});
    return;
  }
  StatedMembers members;
  const JsonValue* answers = nullptr;
  for (const JsonValue& value : root) {
    if (take_text(value, root_members, members, faults)) continue;
    if (value.name == "answers") answers = &value;
    if (value.name == "device") take_device(value, members, faults);
  }
  settle_members(members, faults, diary);
  if (answers == nullptr || !answers->is(JsonKind::object)) {
    faults.add(answers == nullptr ? IssueCode::required : IssueCode::structure,
               answers == nullptr ? "answers is missing." : "answers must be an object.",
               "answers");
    return;
  }
  diary.raw = read_json_answers(*answers, Where{.name = "answers"}, arena, faults);
}

}  // namespace vesper::decoding
