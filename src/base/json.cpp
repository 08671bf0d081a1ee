#include "base/json.hpp"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>
#include <new>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

namespace vesper {
namespace {

// Names beyond this many are compared by sorting: comparing each with all is quadratic.
constexpr std::uint32_t compared_pairwise_max = 16;

constexpr bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

constexpr int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Length of the well-formed UTF-8 sequence at `p` whose first byte is not ASCII; 0: ill-formed.
std::size_t sequence_length(const char* p, const char* end) {
  const auto byte = [p](int i) { return static_cast<unsigned char>(p[i]); };
  const auto rest = end - p;
  const auto tail = [&](int i) { return (byte(i) & 0xc0) == 0x80; };
  const unsigned lead = byte(0);
  if (lead >= 0xc2 && lead <= 0xdf) return rest >= 2 && tail(1) ? 2 : 0;
  if (lead >= 0xe0 && lead <= 0xef) {
    if (rest < 3 || !tail(1) || !tail(2)) return 0;
    if (lead == 0xe0 && byte(1) < 0xa0) return 0;
    if (lead == 0xed && byte(1) > 0x9f) return 0;
    return 3;
  }
  if (lead >= 0xf0 && lead <= 0xf4) {
    if (rest < 4 || !tail(1) || !tail(2) || !tail(3)) return 0;
    if (lead == 0xf0 && byte(1) < 0x90) return 0;
    if (lead == 0xf4 && byte(1) > 0x8f) return 0;
    return 4;
  }
  return 0;
}

char* put_utf8(char* out, std::uint32_t c) {
  if (c < 0x80) {
    *out++ = static_cast<char>(c);
  } else if (c < 0x800) {
    *out++ = static_cast<char>(0xc0 | (c >> 6));
    *out++ = static_cast<char>(0x80 | (c & 0x3f));
  } else if (c < 0x10000) {
    *out++ = static_cast<char>(0xe0 | (c >> 12));
    *out++ = static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    *out++ = static_cast<char>(0x80 | (c & 0x3f));
  } else {
    *out++ = static_cast<char>(0xf0 | (c >> 18));
    *out++ = static_cast<char>(0x80 | ((c >> 12) & 0x3f));
    *out++ = static_cast<char>(0x80 | ((c >> 6) & 0x3f));
    *out++ = static_cast<char>(0x80 | (c & 0x3f));
  }
  return out;
}

class Reader {
 public:
  Reader(std::string_view text, Arena& arena)
      : begin_(text.data()), p_(begin_), end_(begin_ + text.size()), arena_(arena) {}

  std::expected<const JsonValue*, JsonFault> read() {
    JsonValue* root = node();
    if (std::string_view{begin_, end_}.starts_with("\xef\xbb\xbf")) {
      fail("a byte order mark is not allowed");
    } else {
      blanks();
      if (value(*root, 0)) {
        blanks();
        if (p_ == end_) return root;
        fail("text after the end of the document");
      }
    }
    return std::unexpected(fault_);
  }

 private:
  JsonValue* node() {
    return new (arena_.allocate(sizeof(JsonValue), alignof(JsonValue))) JsonValue();
  }
  bool fail(std::string_view reason) { return fail_at(p_, reason); }
  bool fail_at(const char* where, std::string_view reason) {
    fault_ = {static_cast<std::size_t>(where - begin_), reason};
    return false;
  }
  [[nodiscard]] std::uint32_t offset() const { return static_cast<std::uint32_t>(p_ - begin_); }
  void blanks() {
    while (p_ != end_ && (*p_ == ' ' || *p_ == '\n' || *p_ == '\r' || *p_ == '\t')) ++p_;
  }

  bool value(JsonValue& out, std::uint32_t depth) {
    if (p_ == end_) return fail("the document ends too early");
    out.at = offset();
    switch (*p_) {
      case '{':
        return object(out, depth + 1);
      case '[':
        return array(out, depth + 1);
      case '"':
        out.kind = JsonKind::string;
        return string(out.text);
      case 't':
        out.kind = JsonKind::boolean;
        out.boolean = true;
        return word("true");
      case 'f':
        out.kind = JsonKind::boolean;
        return word("false");
      case 'n':
        return word("null");
      default:
        out.kind = JsonKind::number;
        return number(out.text);
    }
  }

  bool word(std::string_view expected) {
    if (!std::string_view{p_, end_}.starts_with(expected)) return fail("this is no JSON value");
    p_ += expected.size();
    return true;
  }

  bool digits() {
    const char* first = p_;
    while (p_ != end_ && is_digit(*p_)) ++p_;
    return p_ != first || fail(p_ == end_ ? "the document ends too early" : "a digit is expected");
  }

  bool number(std::string_view& text) {
    const char* first = p_;
    if (*p_ == '-') {
      ++p_;
    } else if (!is_digit(*p_)) {
      return fail("this is no JSON value");
    }
    if (p_ != end_ && *p_ == '0') {
      if (++p_ != end_ && is_digit(*p_)) return fail("a number has no leading zero");
    } else if (!digits()) {
      return false;
    }
    if (p_ != end_ && *p_ == '.') {
      ++p_;
      if (!digits()) return false;
    }
    if (p_ != end_ && (*p_ == 'e' || *p_ == 'E')) {
      if (++p_ != end_ && (*p_ == '+' || *p_ == '-')) ++p_;
      if (!digits()) return false;
    }
    text = {first, p_};
    return true;
  }

  // Goes to the next byte of a string that is a quote, a backslash, a control or not ASCII.
  void plain_run() {
#if defined(__SSE2__)
    const __m128i quote = _mm_set1_epi8('"'), backslash = _mm_set1_epi8('\\');
    const __m128i blank = _mm_set1_epi8(0x20);
    while (end_ - p_ >= 16) {
      const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p_));
      // The comparison is signed: bytes from 0x80 count as below a blank, like controls.
      const __m128i special =
          _mm_or_si128(_mm_or_si128(_mm_cmpeq_epi8(bytes, quote), _mm_cmpeq_epi8(bytes, backslash)),
                       _mm_cmplt_epi8(bytes, blank));
      const auto mask = static_cast<unsigned>(_mm_movemask_epi8(special));
      if (mask != 0) {
        p_ += std::countr_zero(mask);
        return;
      }
      p_ += 16;
    }
#endif
    while (p_ != end_ && *p_ != '"' && *p_ != '\\' && static_cast<signed char>(*p_) >= 0x20) ++p_;
  }

  bool string(std::string_view& text) {
    const char* first = ++p_;
    bool escaped = false;
    for (;;) {
      plain_run();
      if (p_ == end_) return fail("a string is not closed");
      if (*p_ == '"') break;
      if (*p_ == '\\') {
        if (end_ - p_ < 2) return fail("a string is not closed");
        escaped = true;
        p_ += 2;
      } else if (static_cast<unsigned char>(*p_) < 0x20) {
        return fail("a control character must be escaped");
      } else {
        const std::size_t length = sequence_length(p_, end_);
        if (length == 0) return fail("invalid UTF-8");
        p_ += length;
      }
    }
    const char* last = p_++;
    text = {first, last};
    return !escaped || unescape(text);
  }

  bool unescape(std::string_view& text) {
    char* const copy = static_cast<char*>(arena_.allocate(text.size(), 1));
    char* out = copy;
    const char* from = text.data();
    const char* const last = from + text.size();
    while (from != last) {
      const char* slash = static_cast<const char*>(std::memchr(from, '\\', last - from));
      const char* stop = slash == nullptr ? last : slash;
      std::memcpy(out, from, stop - from);
      out += stop - from;
      from = stop;
      if (from != last && !escape(from, last, out)) return false;
    }
    text = {copy, out};
    return true;
  }

  bool escape(const char*& from, const char* last, char*& out) {
    static constexpr std::string_view letters = "\"\\/bfnrt", meanings = "\"\\/\b\f\n\r\t";
    if (from[1] != 'u') {
      const auto which = letters.find(from[1]);
      if (which == std::string_view::npos) return fail_at(from, "unknown escape");
      *out++ = meanings[which];
      from += 2;
      return true;
    }
    const char* const start = from;
    std::uint32_t unit = 0;
    if (!code_unit(from, last, unit)) return fail_at(start, "\\u needs four hexadecimal digits");
    if (unit >= 0xd800 && unit <= 0xdfff) {
      std::uint32_t low = 0;
      if (unit >= 0xdc00 || last - from < 2 || from[0] != '\\' || from[1] != 'u' ||
          !code_unit(from, last, low) || low < 0xdc00 || low > 0xdfff)
        return fail_at(start, "a surrogate stands alone");
      unit = 0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00);
    }
    out = put_utf8(out, unit);
    return true;
  }

  static bool code_unit(const char*& from, const char* last, std::uint32_t& unit) {
    if (last - from < 6) return false;
    unit = 0;
    for (int i = 2; i < 6; ++i) {
      const int digit = hex_digit(from[i]);
      if (digit < 0) return false;
      unit = unit * 16 + static_cast<std::uint32_t>(digit);
    }
    from += 6;
    return true;
  }

  // Ends the container `out` at the closing bracket under p_.
  bool close(JsonValue& out) {
    ++p_;
    out.text = {begin_ + out.at, p_};
    return true;
  }

  bool array(JsonValue& out, std::uint32_t depth) {
    out.kind = JsonKind::array;
    if (depth > json_depth_max) return fail("nested too deeply");
    ++p_;
    blanks();
    if (p_ != end_ && *p_ == ']') return close(out);
    for (const JsonValue** link = &out.first;;) {
      JsonValue* child = node();
      if (!value(*child, depth)) return false;
      *link = child;
      link = &child->next;
      ++out.size;
      blanks();
      if (p_ == end_) return fail("an array is not closed");
      if (*p_ == ']') return close(out);
      if (*p_ != ',') return fail("',' or ']' is expected");
      ++p_;
      blanks();
    }
  }

  bool object(JsonValue& out, std::uint32_t depth) {
    out.kind = JsonKind::object;
    if (depth > json_depth_max) return fail("nested too deeply");
    ++p_;
    blanks();
    if (p_ != end_ && *p_ == '}') return close(out);
    std::uint64_t seen = 0;
    for (const JsonValue** link = &out.first;;) {
      JsonValue* child = node();
      if (!member(*child, depth)) return false;
      if (out.size < compared_pairwise_max && repeats(out, *child, seen))
        return fail_at(begin_ + child->name_at, repeated_name);
      *link = child;
      link = &child->next;
      ++out.size;
      blanks();
      if (p_ == end_) return fail("an object is not closed");
      if (*p_ == '}') return (out.size <= compared_pairwise_max || names_differ(out)) && close(out);
      if (*p_ != ',') return fail("',' or '}' is expected");
      ++p_;
      blanks();
    }
  }

  bool member(JsonValue& child, std::uint32_t depth) {
    if (p_ == end_) return fail("an object is not closed");
    if (*p_ != '"') return fail("a member name in quotes is expected");
    child.name_at = offset();
    if (!string(child.name)) return false;
    blanks();
    if (p_ == end_) return fail("an object is not closed");
    if (*p_ != ':') return fail("':' is expected");
    ++p_;
    blanks();
    return value(child, depth);
  }

  // One bit a name says at once that most names are new; only a set bit needs the comparison.
  static bool repeats(const JsonValue& object, const JsonValue& child, std::uint64_t& seen) {
    const std::string_view name = child.name;
    std::uint64_t mark = name.size();
    if (!name.empty())
      mark += static_cast<unsigned char>(name.front()) * 31u +
              static_cast<unsigned char>(name[name.size() / 2]) * 7u +
              static_cast<unsigned char>(name.back()) * 13u;
    const std::uint64_t bit = std::uint64_t{1} << (mark % 64);
    const bool maybe = (seen & bit) != 0;
    seen |= bit;
    return maybe && object.find(name) != nullptr;
  }

  bool names_differ(const JsonValue& object) {
    auto members = arena_.array<const JsonValue*>(object.size);
    std::size_t count = 0;
    for (const JsonValue& child : object) members[count++] = &child;
    std::ranges::sort(members, {}, [](const JsonValue* m) { return m->name; });
    for (std::size_t i = 1; i < members.size(); ++i)
      if (members[i - 1]->name == members[i]->name)
        return fail_at(begin_ + std::max(members[i - 1]->name_at, members[i]->name_at),
                       repeated_name);
    return true;
  }

  static constexpr std::string_view repeated_name = "a member name is given twice in one object";
  const char* begin_;
  const char* p_;
  const char* end_;
  Arena& arena_;
  JsonFault fault_;
};

}  // namespace

const JsonValue* JsonValue::find(std::string_view member) const {
  if (kind != JsonKind::object) return nullptr;
  for (const JsonValue& child : *this)
    if (child.name == member) return &child;
  return nullptr;
}

std::expected<const JsonValue*, JsonFault> parse_json(std::string_view text, Arena& arena) {
  if (text.size() > std::numeric_limits<std::uint32_t>::max())
    return std::unexpected(JsonFault{0, "the document is larger than 4 GiB"});
  return Reader{text, arena}.read();
}

TextPosition position_of(std::string_view text, std::size_t offset) {
  TextPosition position;
  offset = std::min(offset, text.size());
  for (std::size_t i = 0; i < offset; ++i) {
    ++position.column;
    if (text[i] == '\n') position = {position.line + 1, 1};
  }
  return position;
}

}  // namespace vesper
