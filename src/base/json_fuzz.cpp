// Whatever the bytes, the parser ends, stays within them, and what it accepts is a tree whose
// numbers and raw extents lie inside the text.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/encoding.hpp"
#include "base/ensure.hpp"
#include "base/json.hpp"

namespace {

void walk(const vesper::JsonValue& value, std::string_view text) {
  using vesper::JsonKind;
  if (value.is(JsonKind::number) || value.is(JsonKind::object) || value.is(JsonKind::array)) {
    vesper::ensure(value.text.data() >= text.data());
    vesper::ensure(value.text.data() + value.text.size() <= text.data() + text.size());
    vesper::ensure(!value.text.empty());
  }
  vesper::ensure(vesper::valid_utf8(value.name) &&
                 (!value.is(JsonKind::string) || vesper::valid_utf8(value.text)));
  std::uint32_t count = 0;
  for (const auto& child : value) {
    walk(child, text);
    ++count;
  }
  vesper::ensure(count == value.size);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static vesper::Arena arena;
  arena.reset();
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  const auto parsed = vesper::parse_json(text, arena);
  if (parsed) {
    walk(**parsed, text);
  } else {
    vesper::ensure(parsed.error().offset <= size && !parsed.error().reason.empty());
  }
  return 0;
}
