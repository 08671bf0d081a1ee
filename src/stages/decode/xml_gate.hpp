#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace vesper::decoding {

inline constexpr std::uint32_t xml_depth_max = 64;

/// Why and where a text is no XML that we take. `reason` is static text.
struct XmlFault {
  std::size_t offset = 0;
  std::string_view reason;
};

/// Judges a whole document before the XML library sees it; nothing: it is well-formed.
///   Bounds: nesting of 64, 64 attributes an element; time linear; no allocation.
///   Errors: whatever XML 1.0 does not allow; a DOCTYPE, whatever it says; an encoding other than
///   UTF-8.
///   Source: XML 1.0, fifth edition, productions 1 to 44.
///   Why: pugixml takes stray ampersands, undeclared entities, doubled attributes, several roots,
///   text after the root and control characters. Refusing DOCTYPE here means that no entity is ever
///   declared, so none can expand.
[[nodiscard]] std::optional<XmlFault> check_xml(std::string_view text);

}  // namespace vesper::decoding
