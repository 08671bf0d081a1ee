#pragma once
#include <pugixml.hpp>

#include <cstdint>
#include <string_view>

#include "base/arena.hpp"
#include "model/diary.hpp"
#include "stages/decode/faults.hpp"

namespace vesper::decoding {

/// Line of an element in the document, from 1. Cheap when elements are asked in document order.
class LineCounter {
 public:
  explicit LineCounter(std::string_view source) : source_(source) {}
  [[nodiscard]] std::uint32_t line_of(const pugi::xml_node& element);

 private:
  std::string_view source_;
  std::size_t offset_ = 0;
  std::uint32_t line_ = 1;
};

/// What a walk over one XML document needs.
///   Shape: `document`'s names and texts lie in the arena; the document itself does not outlive the
///   walk.
struct XmlWalk {
  pugi::xml_node root;
  LineCounter lines;
  Arena& arena;
  Faults& faults;

  void fault(IssueCode code, const pugi::xml_node& element, std::string_view what,
             const Where& where);
};

/// Text and CDATA of an element, joined; comments between them leave no trace.
[[nodiscard]] std::string_view text_of(const pugi::xml_node& element, Arena& arena);
[[nodiscard]] std::string_view trimmed(std::string_view text);
[[nodiscard]] bool has_elements(const pugi::xml_node& element);

/// One value or one row of a repeating group, before those of one field are brought together.
struct XmlEntry {
  std::string_view field;
  Value value{};  ///< kind none: skipped
  std::span<RawAnswer> row{};
  bool is_row = false;
  std::uint32_t line = 0, order = 0;
};

/// Brings the entries of each field together, fields in the order of their first entry.
///   Errors: a field that has values and rows is a fault.
[[nodiscard]] std::span<RawAnswer> collate(std::span<XmlEntry> entries, const Where& where,
                                           Arena& arena, Faults& faults);

void read_xml_diary(XmlWalk& walk, Diary& diary);
void read_odm_diary(XmlWalk& walk, Diary& diary);

}  // namespace vesper::decoding
