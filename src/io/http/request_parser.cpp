#include "io/http/request_parser.hpp"

#include <algorithm>
#if defined(__SSE2__)
#include <emmintrin.h>

#include <bit>
#endif

#include "io/http/character_classes.hpp"
#include "io/http/request_target.hpp"

namespace vesper {
namespace {

using Classes = CharacterClasses;

/// The first byte that may not stand in a field value; `end` when there is none.
const char* find_value_end(const char* at, const char* end) {
#if defined(__SSE2__)
  // A bearer token is most of a head: sixteen bytes at a time keep it cheap.
  const __m128i last_control = _mm_set1_epi8(0x1f);
  const __m128i tab = _mm_set1_epi8('\t');
  const __m128i del = _mm_set1_epi8(0x7f);
  for (; end - at >= 16; at += 16) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
    const __m128i control = _mm_cmpeq_epi8(_mm_min_epu8(x, last_control), x);
    const __m128i bad =
        _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(x, tab), control), _mm_cmpeq_epi8(x, del));
    const auto mask = static_cast<unsigned>(_mm_movemask_epi8(bad));
    if (mask != 0) return at + std::countr_zero(mask);
  }
#endif
  while (at != end && is_in(*at, Classes::value)) ++at;
  return at;
}

std::string_view between(const char* from, const char* to) {
  return {from, static_cast<std::size_t>(to - from)};
}

Method method_of(std::string_view name) {
  switch (name.size()) {
    case 3:
      return name == "GET" ? Method::get : name == "PUT" ? Method::put : Method::other;
    case 4:
      return name == "POST" ? Method::post : name == "HEAD" ? Method::head : Method::other;
    case 6:
      return name == "DELETE" ? Method::del : Method::other;
    case 7:
      return name == "OPTIONS" ? Method::options : Method::other;
    default:
      return Method::other;
  }
}

/// One pass over one head. Each step returns true to go on; else `verdict` says why not.
class HeadReader {
 public:
  HeadReader(std::string_view bytes, std::span<Header> room, RequestHead& head,
             const HeadLimits& limits)
      : begin_(bytes.data()),
        at_(begin_),
        end_(begin_ + std::min(bytes.size(), limits.head_bytes_max)),
        full_(bytes.size() >= limits.head_bytes_max),
        room_(room.first(std::min(room.size(), limits.headers_max))),
        head_(head),
        limits_(limits) {}

  ParsedHead read() {
    if (skip_empty_line() && read_request_line() && read_headers() && judge()) {
      head_.headers = room_.first(count_);
      verdict_.state = ParseState::complete;
      verdict_.bytes = static_cast<std::size_t>(at_ - begin_);
    }
    return verdict_;
  }

 private:
  bool fault(std::uint16_t status, std::string_view diagnostics) {
    verdict_.state = ParseState::fault;
    verdict_.fault = {status, diagnostics};
    return false;
  }
  bool more() {
    if (full_) return fault(431, "the request head is larger than the limit");
    return false;
  }
  /// Inside the request line, whose own limit may end before the head's.
  bool more_line(const char* line_end) {
    if (line_end != end_ || line_full_)
      return fault(414, "the request line is longer than the limit");
    return more();
  }

  bool skip_empty_line() {
    if (at_ == end_) return more();
    if (*at_ != '\r') return true;
    if (end_ - at_ < 2) return more();
    if (at_[1] != '\n') return fault(400, "a CR without LF stands before the request line");
    at_ += 2;
    return true;
  }

  bool read_request_line() {
    const auto room = static_cast<std::size_t>(end_ - at_);
    const std::size_t line_room = limits_.line_bytes_max + 2;  // with its CRLF
    const char* line_end = room > line_room ? at_ + line_room : end_;
    line_full_ = room >= line_room;
    const char* from = at_;
    while (at_ != line_end && is_in(*at_, Classes::token)) ++at_;
    if (at_ == line_end) return more_line(line_end);
    if (at_ == from) return fault(400, "the request does not begin with a method");
    if (*at_ != ' ') return fault(400, "the method is not followed by one blank");
    head_.method_name = between(from, at_);
    head_.method = method_of(head_.method_name);
    from = ++at_;
    while (at_ != line_end && is_in(*at_, Classes::target | Classes::bracket)) ++at_;
    if (at_ == line_end) return more_line(line_end);
    if (*at_ == '#') return fault(400, "the request target has a fragment");
    if (*at_ != ' ') return fault(400, "the request target holds a character it may not");
    if (at_ == from) return fault(400, "the request target is missing");
    target_ = between(from, at_);
    ++at_;
    return read_version(line_end);
  }

  bool read_version(const char* line_end) {
    constexpr std::string_view pattern = "HTTP/d.d\r\n";
    const auto seen = std::min<std::size_t>(static_cast<std::size_t>(line_end - at_), 10);
    for (std::size_t i = 0; i < seen; ++i) {
      const bool same = pattern[i] == 'd' ? is_in(at_[i], Classes::digit) : at_[i] == pattern[i];
      if (!same) return fault(400, "the request line does not end with HTTP/1.1 and CRLF");
    }
    if (seen < pattern.size()) return more_line(line_end);
    if (at_[5] != '1' || at_[7] > '1') return fault(505, "only HTTP/1.1 and HTTP/1.0 are served");
    head_.minor_version = at_[7] == '1' ? 1 : 0;
    head_.keep_alive = head_.minor_version == 1;
    at_ += pattern.size();
    return true;
  }

  bool read_headers() {
    for (;;) {
      if (at_ == end_) return more();
      if (*at_ == '\r') return read_end();
      if (*at_ == ' ' || *at_ == '\t')
        return fault(400, "a header line begins with a blank (folded headers are refused)");
      if (count_ == room_.size()) return fault(431, "the request has more headers than the limit");
      if (!read_header()) return false;
    }
  }

  bool read_end() {
    if (end_ - at_ < 2) return more();
    if (at_[1] != '\n') return fault(400, "a CR stands where a header was expected");
    at_ += 2;
    return true;
  }

  bool read_header() {
    const char* from = at_;
    const char* at = at_;
    while (at != end_ && is_in(*at, Classes::token)) ++at;
    if (at == end_) return more();
    if (*at != ':') return refuse_name(*at);
    if (at == from) return fault(400, "a header has no name");
    const auto name = between(from, at);
    ++at;
    while (at != end_ && (*at == ' ' || *at == '\t')) ++at;
    from = at;
    at = find_value_end(at, end_);
    if (at == end_) return more();
    if (*at != '\r') {
      return fault(400, *at == '\n' ? "a header line ends with LF instead of CRLF"
                                    : "a header value holds a control character");
    }
    if (end_ - at < 2) return more();
    if (at[1] != '\n') return fault(400, "a CR without LF stands in a header value");
    at_ = at + 2;
    while (at != from && (at[-1] == ' ' || at[-1] == '\t')) --at;
    room_[count_] = {name, between(from, at)};
    return note(room_[count_++]);
  }

  bool refuse_name(char c) {
    if (c == ' ' || c == '\t') return fault(400, "a blank stands before the colon of a header");
    if (c == '\r' || c == '\n') return fault(400, "a header line has no colon");
    return fault(400, "a header name holds a character it may not");
  }

  /// Takes note of the headers that frame the message.
  bool note(const Header& header) {
    const auto name = header.name;
    switch (name.size()) {
      case 4:
        return !equals_lower(name, "host") || note_host(header.value);
      case 6:
        if (equals_lower(name, "expect")) note_expect(header.value);
        return true;
      case 10:
        if (equals_lower(name, "connection")) note_connection(header.value);
        return true;
      case 14:
        return !equals_lower(name, "content-length") || note_length(header.value);
      case 17:
        return !equals_lower(name, "transfer-encoding") || note_coding(header.value);
      default:
        return true;
    }
  }

  bool note_host(std::string_view value) {
    if (has_host_) return fault(400, "the Host header is repeated");
    if (!is_host(value)) return fault(400, "the Host header is not a valid host");
    has_host_ = true;
    host_ = value;
    return true;
  }

  void note_expect(std::string_view value) {
    if (equals_lower(value, "100-continue")) {
      expects_continue_ = true;
    } else {
      expects_other_ = true;
    }
  }

  void note_connection(std::string_view value) {
    while (true) {
      const auto comma = value.find(',');
      auto option = value.substr(0, comma);
      while (!option.empty() && (option.front() == ' ' || option.front() == '\t'))
        option.remove_prefix(1);
      while (!option.empty() && (option.back() == ' ' || option.back() == '\t'))
        option.remove_suffix(1);
      if (equals_lower(option, "close")) closes_ = true;
      if (equals_lower(option, "keep-alive")) keeps_alive_ = true;
      if (comma == value.npos) return;
      value.remove_prefix(comma + 1);
    }
  }

  bool note_length(std::string_view value) {
    if (head_.has_content_length) return fault(400, "the Content-Length header is repeated");
    // Nineteen digits cannot overflow 64 bits.
    if (value.empty() || value.size() > 19)
      return fault(400, "Content-Length is not a valid number");
    std::uint64_t length = 0;
    for (const char c : value) {
      if (!is_in(c, Classes::digit)) return fault(400, "Content-Length is not a valid number");
      length = length * 10 + static_cast<std::uint64_t>(c - '0');
    }
    head_.has_content_length = true;
    head_.content_length = length;
    return true;
  }

  bool note_coding(std::string_view value) {
    if (has_coding_) return fault(400, "the Transfer-Encoding header is repeated");
    if (value.empty()) return fault(400, "the Transfer-Encoding header is empty");
    has_coding_ = true;
    head_.chunked = equals_lower(value, "chunked");
    return true;
  }

  /// What only the whole head can tell.
  bool judge() {
    if (has_coding_ && head_.has_content_length)
      return fault(400, "both Content-Length and Transfer-Encoding are given");
    if (has_coding_ && head_.minor_version == 0)
      return fault(400, "Transfer-Encoding is not part of HTTP/1.0");
    if (!has_host_ && head_.minor_version == 1) return fault(400, "the Host header is missing");
    const HttpFault target = split_target(target_, host_, head_);
    if (target.status != 0) return fault(target.status, target.diagnostics);
    if (has_coding_ && !head_.chunked)
      return fault(501, "the only transfer coding served is chunked");
    if (expects_other_) return fault(417, "the only expectation served is 100-continue");
    head_.expects_continue = expects_continue_ && head_.minor_version == 1;
    if (head_.minor_version == 0) head_.keep_alive = keeps_alive_;
    if (closes_) head_.keep_alive = false;
    return true;
  }

  const char* begin_;
  const char* at_;
  const char* end_;
  bool full_;
  bool line_full_ = false;
  std::span<Header> room_;
  RequestHead& head_;
  const HeadLimits& limits_;
  ParsedHead verdict_;
  std::string_view target_, host_;
  std::size_t count_ = 0;
  bool has_host_ = false, has_coding_ = false;
  bool expects_continue_ = false, expects_other_ = false;
  bool closes_ = false, keeps_alive_ = false;
};

}  // namespace

ParsedHead parse_request_head(std::string_view bytes, std::span<Header> room, RequestHead& head,
                              const HeadLimits& limits) {
  head = {};
  return HeadReader{bytes, room, head, limits}.read();
}

}  // namespace vesper
