#include <algorithm>

#include <fmt/format.h>

#include "stages/decode/members.hpp"
#include "stages/decode/xml_tree.hpp"

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
                                         {"app", &StatedMembers::device_app},
                                         {"utcOffsetMinutes", &StatedMembers::utc_offset}};

template <std::size_t n>
bool take_text(const pugi::xml_node& element, const TextMember (&table)[n], XmlWalk& walk,
               StatedMembers& members) {
  const std::string_view name = element.name();
  for (const auto& entry : table) {
    if (entry.name != name) continue;
    Stated& member = members.*entry.target;
    const Where where{.name = member.path};
    if (member.line != 0) {
      walk.fault(IssueCode::structure, element, "this element is given twice.", where);
    } else if (has_elements(element)) {
      walk.fault(IssueCode::structure, element, "this element holds text only.", where);
    } else {
      member.text = trimmed(text_of(element, walk.arena));
      member.given = !member.text.empty();
    }
    member.line = walk.lines.line_of(element);
    return true;
  }
  return false;
}

// <answer><code>..</code></answer> and <answer><value>..</value><unit>..</unit></answer>: the
// members of the JSON objects, as elements.
void read_parts(const pugi::xml_node& answer, XmlWalk& walk, const Where& where, Value& out) {
  out.kind = answer.child("value") ? ValueKind::quantity : ValueKind::coding;
  const bool quantity = out.kind == ValueKind::quantity;
  for (const auto& part : answer) {
    if (part.type() != pugi::node_element) continue;
    const std::string_view name = part.name();
    PatientText* target = nullptr;
    if (name == "system") target = &out.system;
    if (name == "code") target = quantity ? &out.code : &out.text;
    if (quantity && name == "value") target = &out.text;
    if (name == (quantity ? "unit" : "display")) target = &out.display;
    if (target == nullptr || !target->empty() || has_elements(part) || part.first_attribute()) {
      walk.fault(IssueCode::structure, part, "this element means nothing here.",
                 Where{.parent = &where, .name = name});
    } else {
      *target = PatientText{trimmed(text_of(part, walk.arena))};
    }
  }
  if (out.text.empty())
    walk.fault(IssueCode::structure, answer, "a coded answer needs a code, a quantity a value.",
               where);
}

std::span<RawAnswer> read_answers(const pugi::xml_node& parent, XmlWalk& walk, const Where& where);

void read_entry(const pugi::xml_node& element, XmlWalk& walk, const Where& parent,
                XmlEntry& entry) {
  entry.line = walk.lines.line_of(element);
  for (const auto& attribute : element.attributes()) {
    if (std::string_view{attribute.name()} == "field") {
      entry.field = attribute.value();
    } else {
      walk.fault(IssueCode::structure, element, "the only attribute here is field.", parent);
    }
  }
  if (entry.field.empty())
    return walk.fault(IssueCode::required, element, "the attribute field is missing.", parent);
  const Where where{.parent = &parent, .name = entry.field};
  if (std::string_view{element.name()} == "group") {
    entry.is_row = true;
    entry.row = read_answers(element, walk, where);
  } else if (has_elements(element)) {
    read_parts(element, walk, where, entry.value);
  } else if (const auto text = text_of(element, walk.arena); !trimmed(text).empty()) {
    entry.value.kind = ValueKind::raw_text;
    entry.value.text = PatientText{text};
  }
}

std::span<RawAnswer> read_answers(const pugi::xml_node& parent, XmlWalk& walk, const Where& where) {
  ArenaList<XmlEntry> entries(walk.arena);
  for (const auto& child : parent) {
    if (child.type() == pugi::node_pcdata || child.type() == pugi::node_cdata) {
      if (!trimmed(child.value()).empty())
        walk.fault(IssueCode::structure, parent, "text stands outside an answer.", where);
      continue;
    }
    if (child.type() != pugi::node_element) continue;
    const std::string_view name = child.name();
    if (name == "answer" || name == "group") {
      XmlEntry entry;
      read_entry(child, walk, where, entry);
      entries.push(entry);
    } else {
      walk.fault(IssueCode::structure, child, "only answer and group may stand here.", where);
    }
  }
  return collate(entries.items(), where, walk.arena, walk.faults);
}

}  // namespace

void read_xml_diary(XmlWalk& walk, Diary& diary) {
  if (std::string_view{walk.root.name()} != "diary")
    return walk.fault(IssueCode::structure, walk.root, "the root element must be diary.", {});
  StatedMembers members;
  pugi::xml_node answers, device;
  for (const auto& child : walk.root) {
    const std::string_view name = child.name();
    if (child.type() != pugi::node_element || take_text(child, root_members, walk, members))
      continue;
    if (name != "answers" && name != "device") continue;
    pugi::xml_node& once = name == "answers" ? answers : device;
    if (once)
      walk.fault(IssueCode::structure, child, "this element is given twice.", {.name = name});
    once = child;
  }
  for (const auto& child : device) take_text(child, device_members, walk, members);
  settle_members(members, walk.faults, diary);
  const Where where{.name = "answers"};
  if (!answers) return walk.faults.add(IssueCode::required, "answers is missing.", where);
  diary.raw = read_answers(answers, walk, where);
}

}  // namespace vesper::decoding
