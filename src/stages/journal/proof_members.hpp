#pragma once
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include "base/encoding.hpp"
#include "base/json.hpp"
#include "base/wall_time.hpp"
#include "model/group_proof.hpp"

namespace vesper {

/// Takes typed members out of one JSON object; remembers the first that is not as it must be.
///   Shape: `fault` is empty while all was well.
class ProofMembers {
 public:
  ProofMembers(const JsonValue& object, std::string_view of) : object_(object), of_(of) {}

  std::string_view text(std::string_view name) {
    const JsonValue* value = object_.find(name);
    if (value != nullptr && value->is(JsonKind::string)) return value->text;
    return complain(name, "is not a string");
  }
  std::uint64_t number(std::string_view name,
                       std::uint64_t most = std::numeric_limits<std::int64_t>::max()) {
    const JsonValue* value = object_.find(name);
    std::uint64_t out = 0;
    if (value != nullptr && value->is(JsonKind::number)) {
      const char* end = value->text.data() + value->text.size();
      const auto read = std::from_chars(value->text.data(), end, out);
      if (read.ec == std::errc{} && read.ptr == end && out <= most) return out;
    }
    complain(name, "is not a number in its range");
    return 0;
  }
  Uuid uuid(std::string_view name) {
    const auto id = parse_uuid(text(name));
    if (!id) complain(name, "is not a UUID");
    return id.value_or(Uuid{});
  }
  WallTime time(std::string_view name) {
    const auto written = text(name);
    const auto parsed = parse_date_time(written);
    if (parsed && written.size() == wall_time_chars && to_string(parsed->utc) == written)
      return parsed->utc;
    complain(name, "is not a time as receipts write it");
    return {};
  }
  template <std::size_t size>
  std::array<std::uint8_t, size> hex(std::string_view name, std::string_view prefix = "") {
    std::array<std::uint8_t, size> out{};
    const auto written = text(name);
    if (!written.starts_with(prefix) || !read_hex(written.substr(prefix.size()), out))
      complain(name, "is not a digest of the right length");
    return out;
  }
  Hash hash(std::string_view name) { return hex<32>(name, "sha256:"); }
  Signature signature(std::string_view name) {
    Signature out{};
    std::string bytes;
    if (decode_base64url(text(name), bytes) && bytes.size() == out.size())
      std::ranges::copy(bytes, out.begin());
    else
      complain(name, "is not a signature of 64 bytes in base64url");
    return out;
  }
  std::string_view complain(std::string_view name, std::string_view what) {
    if (fault.empty()) fault.append(of_).append(": member ").append(name).append(" ").append(what);
    return {};
  }
  template <std::size_t size>
  static bool read_hex(std::string_view text, std::array<std::uint8_t, size>& out) {
    if (text.size() != 2 * size) return false;
    for (std::size_t i = 0; i < size; ++i) {
      const int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
      if (high < 0 || low < 0) return false;
      out[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    return true;
  }

  std::string fault;

 private:
  static int digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
  }
  const JsonValue& object_;
  std::string_view of_;
};

}  // namespace vesper
