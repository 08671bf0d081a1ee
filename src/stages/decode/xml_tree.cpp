#include "stages/decode/xml_tree.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "stages/decode/xml_characters.hpp"

namespace vesper::decoding {
namespace {

bool is_text(const pugi::xml_node& node) {
  return node.type() == pugi::node_pcdata || node.type() == pugi::node_cdata;
}

// Fills one answer from the entries of its field, which stand side by side.
void gather(std::span<const XmlEntry> entries, const Where& where, Arena& arena, Faults& faults,
            RawAnswer& out) {
  out.field = entries.front().field;
  out.at = entries.front().line;
  std::size_t rows = 0, values = 0;
  for (const auto& entry : entries) {
    rows += entry.is_row ? 1 : 0;
    values += entry.value.kind != ValueKind::none ? 1 : 0;
  }
  if (rows != 0 && rows != entries.size())
    return faults.add(IssueCode::structure,
                      fmt::format("Line {}: answers and rows of a group cannot share a field.",
                                  entries.front().line),
                      Where{.parent = &where, .name = out.field});
  out.values = arena.array<Value>(values);
  out.rows = arena.array<std::span<RawAnswer>>(rows);
  out.is_array = entries.size() > 1;
  std::size_t value = 0, row = 0;
  for (const auto& entry : entries) {
    if (entry.is_row) {
      out.rows[row++] = entry.row;
    } else if (entry.value.kind != ValueKind::none) {
      out.values[value++] = entry.value;
    }
  }
}

}  // namespace

std::uint32_t LineCounter::line_of(const pugi::xml_node& element) {
  const auto offset =
      std::min(static_cast<std::size_t>(std::max<std::ptrdiff_t>(element.offset_debug(), 0)),
               source_.size());
  if (offset < offset_) {
    offset_ = 0;
    line_ = 1;
  }
  line_ += static_cast<std::uint32_t>(
      std::ranges::count(source_.substr(offset_, offset - offset_), '\n'));
  offset_ = offset;
  return line_;
}

void XmlWalk::fault(IssueCode code, const pugi::xml_node& element, std::string_view what,
                    const Where& where) {
  faults.add(code, fmt::format("Line {}: {}", lines.line_of(element), what), where);
}

std::string_view text_of(const pugi::xml_node& element, Arena& arena) {
  std::string_view only;
  std::size_t parts = 0, size = 0;
  for (const auto& child : element) {
    if (!is_text(child)) continue;
    only = child.value();
    ++parts;
    size += only.size();
  }
  if (parts < 2) return only;
  char* const joined = static_cast<char*>(arena.allocate(size, 1));
  char* out = joined;
  for (const auto& child : element)
    if (is_text(child)) out = std::ranges::copy(std::string_view{child.value()}, out).out;
  return {joined, size};
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_xml_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_xml_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool has_elements(const pugi::xml_node& element) {
  return std::ranges::any_of(
      element, [](const pugi::xml_node& child) { return child.type() == pugi::node_element; });
}

std::span<RawAnswer> collate(std::span<XmlEntry> entries, const Where& where, Arena& arena,
                             Faults& faults) {
  for (std::uint32_t i = 0; i < entries.size(); ++i) entries[i].order = i;
  std::ranges::sort(entries, [](const XmlEntry& a, const XmlEntry& b) {
    return a.field != b.field ? a.field < b.field : a.order < b.order;
  });
  ArenaList<std::span<XmlEntry>> fields(arena);
  for (std::size_t first = 0; first < entries.size();) {
    std::size_t last = first + 1;
    while (last < entries.size() && entries[last].field == entries[first].field) ++last;
    fields.push(entries.subspan(first, last - first));
    first = last;
  }
  std::ranges::sort(fields.items(), {}, [](const auto& group) { return group.front().order; });
  auto answers = arena.array<RawAnswer>(fields.size());
  for (std::size_t i = 0; i < answers.size(); ++i)
    gather(fields.items()[i], where, arena, faults, answers[i]);
  return answers;
}

}  // namespace vesper::decoding
