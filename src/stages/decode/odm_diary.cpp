#include <fmt/format.h>

#include "stages/decode/members.hpp"
#include "stages/decode/xml_tree.hpp"

namespace vesper::decoding {
namespace {

constexpr std::string_view odm_namespace = "http://www.cdisc.org/ns/odm/v1.3";

struct Name {
  std::string_view prefix, local;
};
Name split(std::string_view qualified) {
  const auto colon = qualified.find(':');
  if (colon == std::string_view::npos) return {{}, qualified};
  return {qualified.substr(0, colon), qualified.substr(colon + 1)};
}

// The namespace that a prefix stands for at an element; empty when it is not declared.
std::string_view namespace_of(pugi::xml_node element, std::string_view prefix) {
  for (; element; element = element.parent())
    for (const auto& attribute : element.attributes()) {
      const Name name = split(attribute.name());
      const bool declares = prefix.empty() ? name.prefix.empty() && name.local == "xmlns"
                                           : name.prefix == "xmlns" && name.local == prefix;
      if (declares) return attribute.value();
    }
  return {};
}

constexpr bool is_item(std::string_view name) {
  return name.starts_with("ItemData");
}

/// Walks one ODM document. Elements of other namespaces are vendor extensions and passed over; a
/// document without any namespace is read as if it were ODM's.
class OdmReader {
 public:
  OdmReader(XmlWalk& walk, Diary& diary) : walk_(walk), diary_(diary) {}

  void read() {
    if (!is_odm(walk_.root) || local(walk_.root) != "ODM")
      return walk_.fault(IssueCode::structure, walk_.root,
                         "the root element must be ODM of http://www.cdisc.org/ns/odm/v1.3.", {});
    const auto clinical = only_child(walk_.root, "ClinicalData");
    const auto subject = only_child(clinical, "SubjectData");
    const auto event = only_child(subject, "StudyEventData");
    const auto form = only_child(event, "FormData");
    if (!form) return;
    StatedMembers members;
    members.trial_id = attribute(clinical, "StudyOID", "ClinicalData.StudyOID");
    members.subject_id = attribute(subject, "SubjectKey", "SubjectData.SubjectKey");
    take_form(form, members);
    diary_.raw = read_groups(form);
    members.authored = find_authored(form, event, subject);
    settle_members(members, walk_.faults, diary_);
  }

 private:
  [[nodiscard]] static std::string_view local(const pugi::xml_node& element) {
    return split(element.name()).local;
  }
  [[nodiscard]] bool is_odm(const pugi::xml_node& element) const {
    if (element.type() != pugi::node_element) return false;
    const std::string_view prefix = split(element.name()).prefix;
    const std::string_view space = namespace_of(element, prefix);
    return space == odm_namespace || (prefix.empty() && space.empty());
  }

  // An answer that would be passed over in silence is a fault instead.
  void refuse_misplaced(const pugi::xml_node& child, std::string_view name, const Where& where) {
    if (!is_odm(child)) return;
    for (const auto known : {"AuditRecord", "Signature", "ArchiveLayoutRef", "Annotation"})
      if (name == known) return;
    walk_.fault(
        IssueCode::structure, child,
        is_item(name) ? "ItemData stands in an ItemGroupData." : "this element means nothing here.",
        Where{.parent = &where, .name = name});
  }

  pugi::xml_node only_child(const pugi::xml_node& parent, std::string_view name) {
    pugi::xml_node found;
    for (const auto& child : parent) {
      if (local(child) != name || !is_odm(child)) continue;
      if (found) {
        walk_.fault(IssueCode::structure, child,
                    fmt::format("one document holds one diary, so one {}.", name), {.name = name});
        return {};
      }
      found = child;
    }
    if (parent && !found)
      walk_.fault(IssueCode::required, parent, fmt::format("{} is missing.", name), {.name = name});
    if (found) check_transaction(found);
    return found;
  }

  void check_transaction(const pugi::xml_node& element) {
    if (std::string_view{element.attribute("TransactionType").value()} == "Remove")
      walk_.fault(IssueCode::not_supported, element,
                  "TransactionType Remove is not supported: a diary is amended, never removed.",
                  {.name = local(element)});
  }

  Stated attribute(const pugi::xml_node& element, const char* name, std::string_view path) {
    const auto found = element.attribute(name);
    return {path, found.value(), !found.empty(), walk_.lines.line_of(element)};
  }

  void take_form(const pugi::xml_node& form, StatedMembers& members) {
    const Stated both = attribute(form, "FormOID", "FormData.FormOID");
    const auto bar = both.text.rfind('|');
    members.form = members.form_version = both;
    if (!both.given || bar == std::string_view::npos) {
      if (both.given)
        walk_.fault(IssueCode::value, form, "FormOID must be form|version.", {.name = both.path});
      members.form.text = members.form_version.text = "-";
      return;
    }
    members.form.text = both.text.substr(0, bar);
    members.form_version.text = both.text.substr(bar + 1);
  }

  // Items of a group without a repeat key are flat, as contract.md has it for other syntaxes.
  std::span<RawAnswer> read_groups(const pugi::xml_node& form) {
    const Where where{.name = "FormData"};
    ArenaList<XmlEntry> entries(walk_.arena);
    for (const auto& group : form) {
      if (local(group) != "ItemGroupData" || !is_odm(group)) {
        refuse_misplaced(group, local(group), where);
        continue;
      }
      check_transaction(group);
      note_stamp(group);
      if (!group.attribute("ItemGroupRepeatKey")) {
        read_items(group, where, entries);
        continue;
      }
      const Stated name = attribute(group, "ItemGroupOID", "ItemGroupOID");
      if (!name.given) {
        walk_.fault(IssueCode::required, group, "ItemGroupOID is missing.", where);
        continue;
      }
      const Where here{.parent = &where, .name = name.text};
      ArenaList<XmlEntry> row(walk_.arena);
      read_items(group, here, row);
      entries.push({.field = name.text,
                    .row = collate(row.items(), here, walk_.arena, walk_.faults),
                    .is_row = true,
                    .line = name.line});
    }
    return collate(entries.items(), where, walk_.arena, walk_.faults);
  }

  void read_items(const pugi::xml_node& group, const Where& where, ArenaList<XmlEntry>& entries) {
    for (const auto& item : group) {
      const std::string_view name = local(item);
      if (!is_item(name) || !is_odm(item)) {
        refuse_misplaced(item, name, where);
        continue;
      }
      check_transaction(item);
      note_stamp(item);
      const Stated oid = attribute(item, "ItemOID", "ItemOID");
      if (!oid.given) {
        walk_.fault(IssueCode::required, item, "ItemOID is missing.", where);
        continue;
      }
      XmlEntry entry{.field = oid.text, .line = oid.line};
      // ItemData states its value as an attribute, ItemDataInteger and its kin as text.
      const std::string_view text =
          name == "ItemData" ? item.attribute("Value").value() : text_of(item, walk_.arena);
      if (!text.empty() && std::string_view{item.attribute("IsNull").value()} != "Yes") {
        entry.value.kind = ValueKind::raw_text;
        entry.value.text = PatientText{text};
      }
      entries.push(entry);
    }
  }

  // AuditRecord/DateTimeStamp directly under an element; not given when there is none.
  Stated stamp_of(const pugi::xml_node& owner) {
    for (const auto& record : owner) {
      if (local(record) != "AuditRecord" || !is_odm(record)) continue;
      for (const auto& stamp : record)
        if (local(stamp) == "DateTimeStamp" && is_odm(stamp))
          return {stamp_path, trimmed(text_of(stamp, walk_.arena)), true,
                  walk_.lines.line_of(stamp)};
    }
    return {.path = stamp_path};
  }

  // Remembers the latest stamp inside the form; one that cannot be read counts as latest, so that
  // it is reported.
  void note_stamp(const pugi::xml_node& element) {
    const Stated stamp = stamp_of(element);
    if (!stamp.given) return;
    const auto time = parse_date_time(stamp.text);
    if (!time) {
      latest_ = stamp;
      latest_at_ = WallTime::max();
    } else if (!latest_.given || time->utc > latest_at_) {
      latest_ = stamp;
      latest_at_ = time->utc;
    }
  }

  // The stamp of the form itself, else the latest within it, else that of the visit or subject.
  Stated find_authored(const pugi::xml_node& form, const pugi::xml_node& event,
                       const pugi::xml_node& subject) {
    if (const Stated own = stamp_of(form); own.given) return own;
    if (latest_.given) return latest_;
    if (const Stated outer = stamp_of(event); outer.given) return outer;
    return stamp_of(subject);
  }

  static constexpr std::string_view stamp_path = "AuditRecord.DateTimeStamp";
  XmlWalk& walk_;
  Diary& diary_;
  Stated latest_;
  WallTime latest_at_{};
};

}  // namespace

void read_odm_diary(XmlWalk& walk, Diary& diary) {
  OdmReader{walk, diary}.read();
}

}  // namespace vesper::decoding
