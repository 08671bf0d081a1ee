#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace vesper {

/// Lower-case hexadecimal digits of `bytes` appended to `out`.
void append_hex(std::string& out, std::span<const std::uint8_t> bytes);

/// Strict base64url without padding (RFC 7515, 2): no `=`, no blanks, no other alphabet, and no
/// set bits beyond the last byte.
///   Errors: nothing when `text` is anything else.
[[nodiscard]] bool decode_base64url(std::string_view text, std::string& out);
/// The same into memory that has room for text.size() * 3 / 4 bytes; the number of bytes written.
[[nodiscard]] std::optional<std::size_t> decode_base64url(std::string_view text, char* out);
[[nodiscard]] std::string encode_base64url(std::string_view bytes);
/// The common alphabet with padding (RFC 4648, 4).
[[nodiscard]] std::string encode_base64(std::string_view bytes);

/// True when `text` is well-formed UTF-8: no overlong form, no surrogate, nothing past U+10FFFF.
///   Source: Unicode 15, table 3-7. `error_at` receives the offset of the first bad byte.
[[nodiscard]] bool valid_utf8(std::string_view text, std::size_t* error_at = nullptr);

/// Appends `text` to `out` as the inside of a JSON string (no quotes); `text` is valid UTF-8.
void append_json_escaped(std::string& out, std::string_view text);

}  // namespace vesper
