#pragma once
#include <cstddef>
#include <cstdint>
#include <expected>
#include <string_view>

#include "base/arena.hpp"

namespace vesper {

enum class JsonKind : std::uint8_t { null, boolean, number, string, array, object };

/// One value of a parsed JSON text.
///   Shape: children are a list in the order sent: `for (const JsonValue& child : value)`. Views
///   point into the text that was parsed or into the arena; both must outlive the tree.
struct JsonValue {
  JsonKind kind = JsonKind::null;
  bool boolean = false;
  std::uint32_t at = 0;    ///< offset of the value in the text
  std::uint32_t size = 0;  ///< number of children
  std::uint32_t name_at = 0;
  std::string_view name;  ///< of a member, unescaped; empty elsewhere
  std::string_view text;  ///< string: unescaped; number: digits as sent; array, object: raw extent
  const JsonValue* first = nullptr;
  const JsonValue* next = nullptr;

  class Iterator {
   public:
    explicit Iterator(const JsonValue* at) : at_(at) {}
    const JsonValue& operator*() const { return *at_; }
    Iterator& operator++() {
      at_ = at_->next;
      return *this;
    }
    friend bool operator==(Iterator, Iterator) = default;

   private:
    const JsonValue* at_;
  };
  [[nodiscard]] Iterator begin() const { return Iterator{first}; }
  [[nodiscard]] Iterator end() const { return Iterator{nullptr}; }
  [[nodiscard]] bool is(JsonKind k) const { return kind == k; }
  /// The member of that name; nullptr when there is none or this is no object.
  [[nodiscard]] const JsonValue* find(std::string_view member) const;
};

/// Why and where a text is not JSON. `reason` is static text.
struct JsonFault {
  std::size_t offset = 0;
  std::string_view reason;
};

inline constexpr std::uint32_t json_depth_max = 64;

/// Parses one JSON text strictly into a tree in `arena`.
///   Bounds: nesting of 64; time O(n log n) whatever the names are; no allocation but the arena's.
///   Errors: anything RFC 8259 does not allow, a byte order mark, invalid UTF-8, a lone surrogate,
///   a member name given twice in one object (compared after unescaping). Numbers of any size pass:
///   they stay digits.
///   Source: RFC 8259, with I-JSON's (RFC 7493) rules on names and surrogates.
///   Why: decision 0120.
[[nodiscard]] std::expected<const JsonValue*, JsonFault> parse_json(std::string_view text,
                                                                    Arena& arena);

/// Line and column, both from 1; columns count bytes.
struct TextPosition {
  std::size_t line = 1, column = 1;
};
[[nodiscard]] TextPosition position_of(std::string_view text, std::size_t offset);

}  // namespace vesper
