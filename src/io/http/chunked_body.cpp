#include "io/http/chunked_body.hpp"

#include <algorithm>
#include <array>

#include "io/http/character_classes.hpp"

namespace vesper {
namespace {

using Classes = CharacterClasses;

constexpr HttpFault bad_size{400, "a chunk does not begin with its size in hexadecimal and CRLF"};
constexpr HttpFault bad_extension{400, "a chunk extension is malformed"};
constexpr HttpFault bad_trailer{400, "a trailer line is malformed"};

/// Fields that frame, route or authorise a message have no place after it.
constexpr std::array<std::string_view, 12> forbidden_trailers{"content-length",
                                                              "transfer-encoding",
                                                              "host",
                                                              "connection",
                                                              "expect",
                                                              "te",
                                                              "trailer",
                                                              "upgrade",
                                                              "content-encoding",
                                                              "authorization",
                                                              "cookie",
                                                              "content-range"};

unsigned hex_value(char c) {
  if (c <= '9') return static_cast<unsigned>(c - '0');
  return static_cast<unsigned>((c | 0x20) - 'a' + 10);
}

}  // namespace

ChunkedDecoder::Step ChunkedDecoder::next(std::string_view in) {
  Step step;
  while (step.consumed < in.size() && at_ != At::done) {
    if (at_ == At::data) {
      const auto run =
          static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size() - step.consumed));
      step.data = in.substr(step.consumed, run);
      step.consumed += run;
      left_ -= run;
      if (left_ == 0) at_ = At::data_cr;
      return step;
    }
    step.fault = take(in[step.consumed++]);
    if (step.fault.status != 0) {
      step.state = ParseState::fault;
      return step;
    }
  }
  if (at_ == At::done) step.state = ParseState::complete;
  return step;
}

HttpFault ChunkedDecoder::take(char c) {
  switch (at_) {
    case At::size_first:
    case At::size:
      return take_size(c);
    case At::size_lf:
      return c == '\n' ? end_size_line() : bad_size;
    case At::data_cr:
      at_ = At::data_lf;
      return c == '\r' ? HttpFault{} : HttpFault{400, "a chunk is longer than its size says"};
    case At::data_lf:
      at_ = At::size_first;
      return c == '\n' ? HttpFault{} : HttpFault{400, "a chunk does not end with CRLF"};
    case At::line:
    case At::name:
    case At::value:
    case At::value_lf:
    case At::end_lf:
      return take_trailer(c);
    default:
      return take_extension(c);
  }
}

HttpFault ChunkedDecoder::take_size(char c) {
  if (at_ == At::size_first) {
    if (!is_in(c, Classes::hex)) return bad_size;
    left_ = 0;
    digits_ = 0;
    at_ = At::size;
  }
  if (is_in(c, Classes::hex)) {
    if (++digits_ > size_digits_max) return {400, "a chunk size has too many digits"};
    left_ = left_ * 16 + hex_value(c);
    return {};
  }
  if (c == '\r') {
    at_ = At::size_lf;
  } else if (c == ';') {
    at_ = At::extension_name_first;
  } else {
    return bad_size;
  }
  return {};
}

HttpFault ChunkedDecoder::end_size_line() {
  if (left_ == 0) {
    at_ = At::line;
    return {};
  }
  if (left_ > limit_bytes_ - decoded_) return {413, "the body is larger than the limit"};
  decoded_ += left_;
  at_ = At::data;
  return {};
}

HttpFault ChunkedDecoder::take_extension(char c) {
  if (++extension_bytes_ > extension_bytes_max) return {400, "chunk extensions are too long"};
  const bool token = is_in(c, Classes::token);
  switch (at_) {
    case At::extension_name_first:
    case At::extension_value_first:
      if (c == '"' && at_ == At::extension_value_first) {
        at_ = At::quoted;
        return {};
      }
      at_ = at_ == At::extension_name_first ? At::extension_name : At::extension_value;
      return token ? HttpFault{} : bad_extension;
    case At::quoted:
      if (c == '"') at_ = At::quoted_end;
      if (c == '\\') at_ = At::quoted_escape;
      return is_in(c, Classes::value) ? HttpFault{} : bad_extension;
    case At::quoted_escape:
      at_ = At::quoted;
      return is_in(c, Classes::value) ? HttpFault{} : bad_extension;
    default:
      break;
  }
  if (token && at_ != At::quoted_end) return {};
  if (c == '\r') {
    at_ = At::size_lf;
  } else if (c == ';') {
    at_ = At::extension_name_first;
  } else if (c == '=' && at_ == At::extension_name) {
    at_ = At::extension_value_first;
  } else {
    return bad_extension;
  }
  return {};
}

HttpFault ChunkedDecoder::take_trailer(char c) {
  if (++trailer_bytes_ > trailer_bytes_max) return {431, "the trailers are larger than the limit"};
  switch (at_) {
    case At::line:
      name_size_ = 0;
      if (c == '\r') {
        at_ = At::end_lf;
        return {};
      }
      if (!is_in(c, Classes::token)) return bad_trailer;
      at_ = At::name;
      [[fallthrough]];
    case At::name:
      if (c == ':') return end_name();
      if (name_size_ < name_room)
        name_[name_size_++] = c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
      return is_in(c, Classes::token) ? HttpFault{} : bad_trailer;
    case At::value:
      if (c == '\r') at_ = At::value_lf;
      return c == '\r' || is_in(c, Classes::value) ? HttpFault{} : bad_trailer;
    case At::value_lf:
      at_ = At::line;
      return c == '\n' ? HttpFault{} : bad_trailer;
    default:
      at_ = At::done;
      return c == '\n' ? HttpFault{} : bad_trailer;
  }
}

HttpFault ChunkedDecoder::end_name() {
  at_ = At::value;
  const std::string_view name{name_, name_size_};
  if (std::ranges::find(forbidden_trailers, name) != forbidden_trailers.end())
    return {400, "a trailer may not frame, route or authorise the message"};
  return {};
}

}  // namespace vesper
