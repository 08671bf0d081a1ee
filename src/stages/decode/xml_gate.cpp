#include "stages/decode/xml_gate.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <span>

#include "base/encoding.hpp"
#include "stages/decode/xml_characters.hpp"

namespace vesper::decoding {
namespace {

constexpr std::size_t attributes_max = 64;

class Gate {
 public:
  explicit Gate(std::string_view text) : text_(text) {}

  std::optional<XmlFault> check() {
    std::size_t bad = 0;
    if (!valid_utf8(text_, &bad)) return XmlFault{bad, "invalid UTF-8"};
    if (text_.starts_with("\xef\xbb\xbf")) at_ = 3;
    if (characters() && declaration() && misc() && root() && misc() && at_ != text_.size())
      fail("text after the root element");
    if (fault_.reason.empty()) return std::nullopt;
    return fault_;
  }

 private:
  bool fail(std::string_view reason) {
    fault_ = {at_, reason};
    return false;
  }
  [[nodiscard]] bool ended() const { return at_ == text_.size(); }
  [[nodiscard]] char now() const { return text_[at_]; }
  [[nodiscard]] bool sees(std::string_view what) const {
    return text_.substr(at_).starts_with(what);
  }
  bool skip(std::string_view what) {
    if (!sees(what)) return false;
    at_ += what.size();
    return true;
  }
  bool blanks() {
    const std::size_t first = at_;
    while (!ended() && is_xml_blank(now())) ++at_;
    return at_ != first;
  }

  // Every character is one that XML allows, wherever it stands.
  bool characters() {
    for (std::size_t i = at_; i < text_.size();) {
      const auto lead = static_cast<unsigned char>(text_[i]);
      if (lead >= 0x20 && lead < 0xef) {
        ++i;
      } else if (const auto next = decode_code_point(text_, i); is_xml_character(next.code)) {
        i += next.length;
      } else {
        at_ = i;
        return fail("a character that XML does not allow");
      }
    }
    return true;
  }

  bool declaration() {
    if (!sees("<?xml") || text_.size() < at_ + 6 || !is_xml_blank(text_[at_ + 5])) return true;
    at_ += 5;
    std::string_view value;
    if (!pseudo_attribute("version", value)) return fail("the XML declaration needs a version");
    if (value.size() < 3 || !value.starts_with("1.")) return fail("only XML 1.0 is read");
    if (pseudo_attribute("encoding", value) && !is_utf8_name(value))
      return fail("only UTF-8 is read");
    if (pseudo_attribute("standalone", value) && value != "yes" && value != "no")
      return fail("standalone must be yes or no");
    blanks();
    return skip("?>") || fail("the XML declaration is not well-formed");
  }

  static bool is_utf8_name(std::string_view name) {
    return std::ranges::equal(name, std::string_view{"utf-8"}, [](char a, char b) {
      return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b;
    });
  }

  bool pseudo_attribute(std::string_view name, std::string_view& value) {
    const std::size_t before = at_;
    if (blanks() && skip(name)) {
      blanks();
      if (skip("=")) {
        blanks();
        if (!ended() && (now() == '"' || now() == '\'')) {
          const std::size_t close = text_.find(now(), at_ + 1);
          if (close != std::string_view::npos) {
            value = text_.substr(at_ + 1, close - at_ - 1);
            at_ = close + 1;
            return true;
          }
        }
      }
    }
    at_ = before;
    return false;
  }

  bool misc() {
    for (;;) {
      blanks();
      if (sees("<!--")) {
        if (!comment()) return false;
      } else if (sees("<?")) {
        if (!instruction()) return false;
      } else {
        return true;
      }
    }
  }

  bool comment() {
    const std::size_t close = text_.find("--", at_ + 4);
    if (close == std::string_view::npos) return fail("a comment is not closed");
    if (close + 2 >= text_.size() || text_[close + 2] != '>') {
      at_ = close;
      return fail("-- is not allowed in a comment");
    }
    at_ = close + 3;
    return true;
  }

  bool instruction() {
    const std::size_t start = at_;
    at_ += 2;
    std::string_view target;
    if (!name(target)) return false;
    const bool reserved = target.size() == 3 && (target[0] | 0x20) == 'x' &&
                          (target[1] | 0x20) == 'm' && (target[2] | 0x20) == 'l';
    const std::size_t close = text_.find("?>", at_);
    if (reserved || close == std::string_view::npos || (close != at_ && !is_xml_blank(now()))) {
      at_ = start;
      return fail(reserved ? "the XML declaration must come first"
                           : "a processing instruction is not well-formed");
    }
    at_ = close + 2;
    return true;
  }

  bool name(std::string_view& out) {
    const std::size_t first = at_;
    while (!ended()) {
      const auto next = decode_code_point(text_, at_);
      if (!(at_ == first ? is_xml_name_start(next.code) : is_xml_name_character(next.code))) break;
      at_ += next.length;
    }
    out = text_.substr(first, at_ - first);
    return at_ != first || fail("a name is expected");
  }

  bool root() {
    if (ended()) return fail("the document has no root element");
    if (sees("<!DOCTYPE")) return fail("a DOCTYPE is not allowed");
    if (now() != '<') return fail("text before the root element");
    if (!open()) return false;
    while (depth_ > 0)
      if (!content()) return false;
    return true;
  }

  // A start tag, or an empty element.
  bool open() {
    const std::size_t start = at_++;
    std::string_view element;
    if (!name(element)) return false;
    std::array<std::string_view, attributes_max> names;
    for (std::size_t count = 0;; ++count) {
      const bool blank = blanks();
      if (skip("/>")) return true;
      if (skip(">")) break;
      if (ended()) return fail("a tag is not closed");
      if (!blank) return fail("a blank is expected between attributes");
      if (count == attributes_max) return fail("an element has more than 64 attributes");
      if (!attribute(std::span{names}.first(count), names[count])) return false;
    }
    if (depth_ == open_.size()) {
      at_ = start;
      return fail("nested too deeply");
    }
    open_[depth_++] = element;
    return true;
  }

  bool attribute(std::span<const std::string_view> earlier, std::string_view& out) {
    const std::size_t start = at_;
    if (!name(out)) return false;
    if (std::ranges::find(earlier, out) != earlier.end()) {
      at_ = start;
      return fail("an attribute is given twice");
    }
    blanks();
    if (!skip("=")) return fail("'=' is expected");
    blanks();
    if (ended() || (now() != '"' && now() != '\'')) return fail("a quoted value is expected");
    const char quote = now();
    for (++at_; !ended() && now() != quote;) {
      if (now() == '<') return fail("'<' is not allowed in an attribute");
      if (now() != '&') {
        ++at_;
      } else if (!reference()) {
        return false;
      }
    }
    return skip({&quote, 1}) || fail("an attribute is not closed");
  }

  // One step inside an element: a tag, a comment, a CDATA section, or text up to the next of them.
  bool content() {
    if (ended()) return fail("an element is not closed");
    if (now() != '<') return character_data();
    if (sees("</")) return end_tag();
    if (sees("<!--")) return comment();
    if (sees("<![CDATA[")) {
      const std::size_t close = text_.find("]]>", at_);
      if (close == std::string_view::npos) return fail("a CDATA section is not closed");
      at_ = close + 3;
      return true;
    }
    if (sees("<!")) return fail("a declaration is not allowed here");
    return sees("<?") ? instruction() : open();
  }

  bool end_tag() {
    const std::size_t start = at_;
    at_ += 2;
    std::string_view element;
    if (!name(element)) return false;
    blanks();
    if (!skip(">")) return fail("an end tag is not closed");
    if (element == open_[depth_ - 1]) {
      --depth_;
      return true;
    }
    at_ = start;
    return fail("an end tag does not match its start tag");
  }

  bool character_data() {
    while (!ended() && now() != '<') {
      if (now() == '&') {
        if (!reference()) return false;
      } else if (sees("]]>")) {
        return fail("]]> is not allowed in text");
      } else {
        ++at_;
      }
    }
    return true;
  }

  bool reference() {
    const std::size_t close = text_.find(';', at_);
    const std::string_view body = close == std::string_view::npos
                                      ? std::string_view{}
                                      : text_.substr(at_ + 1, close - at_ - 1);
    const bool known = body.starts_with('#') ? is_character_reference(body.substr(1))
                                             : body == "lt" || body == "gt" || body == "amp" ||
                                                   body == "quot" || body == "apos";
    if (!known) return fail("'&' must begin one of the five entities or a character reference");
    at_ = close + 1;
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  XmlFault fault_;
  std::array<std::string_view, xml_depth_max> open_;
  std::size_t depth_ = 0;
};

}  // namespace

std::optional<XmlFault> check_xml(std::string_view text) {
  return Gate{text}.check();
}

}  // namespace vesper::decoding
