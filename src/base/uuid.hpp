#pragma once
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace vesper {

/// A UUID of any version, as its 16 bytes in text order.
struct Uuid {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const Uuid&, const Uuid&) = default;
};

inline constexpr std::size_t uuid_chars = 36;

/// Parses `8-4-4-4-12` hexadecimal digits of either case; nothing else (no braces, no `urn:uuid:`).
[[nodiscard]] std::optional<Uuid> parse_uuid(std::string_view text);

/// Writes 36 lower-case characters without a terminator.
void format_uuid(const Uuid& id, char* out);
[[nodiscard]] std::string to_string(const Uuid& id);

/// The name-based UUID of `name` in `space`.
///   Source: RFC 9562, 5.5 (version 5, SHA-1). Not a signature: collisions need malice, and callers
///   that face malice hash the bytes themselves.
[[nodiscard]] Uuid uuid_v5(const Uuid& space, std::string_view name);

/// A name prepared once, to be hashed in many namespaces: in(space) == uuid_v5(space, name).
///   Why:    namespace, name and padding are one SHA-1 block, so only 16 bytes change each time.
///   Bounds: names up to 39 bytes; longer ones are kept and take the general way.
class UuidName {
 public:
  explicit UuidName(std::string_view name);
  [[nodiscard]] Uuid in(const Uuid& space) const;

 private:
  std::array<std::uint8_t, 64> block_{};
  std::string long_name_;
};

/// A time-ordered UUID from a wall-clock time and 74 random bits.
///   Source: RFC 9562, 5.7 (version 7).
[[nodiscard]] Uuid uuid_v7(std::int64_t unix_ms, std::uint64_t random_a, std::uint64_t random_b);

}  // namespace vesper
