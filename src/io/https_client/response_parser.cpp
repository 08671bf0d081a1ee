#include "io/https_client/response_parser.hpp"

#include <algorithm>

namespace vesper {
namespace {

constexpr std::size_t head_max = 16 * 1024, lines_max = 64, line_max = 1024;
constexpr int interim_max = 8;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
}

bool same(std::string_view a, std::string_view lower_case) {
  return std::ranges::equal(a, lower_case, {}, lower);
}

bool token_character(char c) {
  if ((c >= '0' && c <= '9') || (lower(c) >= 'a' && lower(c) <= 'z')) return true;
  return std::string_view{"!#$%&'*+-.^_`|~"}.contains(c);
}

bool value_character(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte == '\t' || (byte >= 0x20 && byte != 0x7F);
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

bool lists(std::string_view value, std::string_view wanted) {
  while (!value.empty()) {
    const auto comma = value.find(',');
    if (same(trim(value.substr(0, comma)), wanted)) return true;
    value.remove_prefix(comma == value.npos ? value.size() : comma + 1);
  }
  return false;
}

}  // namespace

void ResponseParser::reset() {
  stage_ = Stage::head;
  head_.clear();
  body_.clear();
  line_.clear();
  left_ = length_ = 0;
  read_ = trailer_bytes_ = 0;
  status_ = interim_ = lengths_ = 0;
  chunked_ = close_asked_ = keep_asked_ = cut_short_ = unfinished_ = http_1_0_ = false;
  keep_alive_ = true;
}

ResponseParser::Progress ResponseParser::fail() {
  stage_ = Stage::bad;
  keep_alive_ = false;
  return Progress::bad;
}

ResponseParser::Progress ResponseParser::finish() {
  stage_ = Stage::done;
  return Progress::done;
}

ResponseParser::Progress ResponseParser::feed(std::string_view& in) {
  for (;;) {
    Progress progress = Progress::more;
    const Stage before = stage_;
    switch (stage_) {
      case Stage::head:
        progress = take_head(in);
        break;
      case Stage::counted:
      case Stage::to_close:
        progress = take_counted(in);
        break;
      case Stage::chunk_size:
      case Stage::chunk:
      case Stage::chunk_end:
      case Stage::trailer:
        progress = take_chunked(in);
        break;
      case Stage::done:
        return Progress::done;
      case Stage::bad:
        return Progress::bad;
    }
    if (progress != Progress::more) return progress;
    if (in.empty() && stage_ == before) return Progress::more;
  }
}

ResponseParser::Progress ResponseParser::end() {
  keep_alive_ = false;
  if (stage_ == Stage::done || stage_ == Stage::to_close) return finish();
  return fail();
}

ResponseParser::Progress ResponseParser::take_head(std::string_view& in) {
  // The end of the head may be split between what came before and `in`.
  const std::size_t from = head_.size() < 3 ? 0 : head_.size() - 3;
  const std::size_t room = head_max + 4 - head_.size(), had = head_.size();
  head_.append(in.substr(0, room));
  const auto end = head_.find("\r\n\r\n", from);
  if (end == head_.npos) {
    in.remove_prefix(head_.size() - had);
    // A bare LF never ends a head: say so at once instead of waiting for a time-out.
    for (auto lf = head_.find('\n', from); lf != head_.npos; lf = head_.find('\n', lf + 1))
      if (lf == 0 || head_[lf - 1] != '\r') return fail();
    return head_.size() > head_max ? fail() : Progress::more;
  }
  in.remove_prefix(end + 4 - had);
  head_.resize(end + 2);
  return head_complete();
}

ResponseParser::Progress ResponseParser::head_complete() {
  if (!parse_head()) return fail();
  if (status_ >= 100 && status_ < 200) {
    if (status_ == 101 || ++interim_ > interim_max || chunked_ || lengths_ > 0) return fail();
    head_.clear();
    return Progress::more;
  }
  keep_alive_ = http_1_0_ ? keep_asked_ && !close_asked_ : !close_asked_;
  if (status_ == 204 || status_ == 304) {
    if (chunked_ || length_ > 0) return fail();
    return finish();
  }
  if (chunked_) {
    stage_ = Stage::chunk_size;
  } else if (lengths_ > 0) {
    left_ = length_;
    stage_ = Stage::counted;
    if (left_ == 0) return finish();
  } else {
    keep_alive_ = false;
    stage_ = Stage::to_close;
  }
  return Progress::more;
}

bool ResponseParser::parse_head() {
  lengths_ = 0;
  length_ = 0;
  chunked_ = close_asked_ = keep_asked_ = false;
  std::string_view rest = head_;
  std::size_t lines = 0;
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    rest.remove_prefix(end + 2);
    if (!std::ranges::all_of(line, value_character)) return false;
    if (++lines > lines_max + 1) return false;
    if (lines == 1 ? !status_line(line) : !header_line(line)) return false;
  }
  return lines > 0 && !(chunked_ && (lengths_ > 0 || http_1_0_));
}

bool ResponseParser::status_line(std::string_view line) {
  if (!line.starts_with("HTTP/1.") || line.size() < 12) return false;
  if (line[7] != '0' && line[7] != '1') return false;
  http_1_0_ = line[7] == '0';
  if (line[8] != ' ' || (line.size() > 12 && line[12] != ' ')) return false;
  status_ = 0;
  for (const char c : line.substr(9, 3)) {
    if (c < '0' || c > '9') return false;
    status_ = status_ * 10 + (c - '0');
  }
  return status_ >= 100;
}

bool ResponseParser::header_line(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == line.npos || colon == 0) return false;
  const auto name = line.substr(0, colon);
  if (!std::ranges::all_of(name, token_character)) return false;
  const auto value = trim(line.substr(colon + 1));
  if (same(name, "content-length")) {
    if (++lengths_ > 1 || value.empty() || value.size() > 18) return false;
    for (const char c : value) {
      if (c < '0' || c > '9') return false;
      length_ = length_ * 10 + static_cast<std::uint64_t>(c - '0');
    }
  } else if (same(name, "transfer-encoding")) {
    if (chunked_ || !same(value, "chunked")) return false;
    chunked_ = true;
  } else if (same(name, "connection")) {
    close_asked_ |= lists(value, "close");
    keep_asked_ |= lists(value, "keep-alive");
  }
  return true;
}

std::string_view ResponseParser::header(std::string_view lower_case_name) const {
  std::string_view rest = head_;
  rest.remove_prefix(std::min(rest.find("\r\n"), rest.size() - 2) + 2);
  while (!rest.empty()) {
    const auto end = rest.find("\r\n");
    const auto line = rest.substr(0, end);
    const auto colon = line.find(':');
    if (same(line.substr(0, colon), lower_case_name)) return trim(line.substr(colon + 1));
    rest.remove_prefix(end + 2);
  }
  return {};
}

void ResponseParser::body_piece(std::string_view piece) {
  const std::size_t kept = std::min(piece.size(), keep_max_ - body_.size());
  body_.append(piece.substr(0, kept));
  cut_short_ |= kept < piece.size();
  if (sink_) sink_->take(piece);
  read_ += piece.size();
}

ResponseParser::Progress ResponseParser::take_counted(std::string_view& in) {
  std::string_view piece = in;
  if (stage_ != Stage::to_close)
    piece = in.substr(0, static_cast<std::size_t>(std::min<std::uint64_t>(left_, in.size())));
  in.remove_prefix(piece.size());
  body_piece(piece);
  if (stage_ != Stage::to_close) left_ -= piece.size();
  if (stage_ == Stage::counted && left_ == 0) return finish();
  if (read_ > read_max_) {
    unfinished_ = true;
    keep_alive_ = false;
    return finish();
  }
  return Progress::more;
}

bool ResponseParser::take_line(std::string_view& in) {
  while (!in.empty()) {
    const char c = in.front();
    in.remove_prefix(1);
    line_.push_back(c);
    if (c == '\n') return true;
    if (line_.size() > line_max) return true;
  }
  return false;
}

bool ResponseParser::chunk_line() {
  std::string_view line = line_;
  if (!line.ends_with("\r\n")) return false;
  line.remove_suffix(2);
  if (!std::ranges::all_of(line, value_character)) return false;
  const auto size = line.substr(0, line.find(';'));
  if (size.empty() || size.size() > 8) return false;
  left_ = 0;
  for (const char c : size) {
    const auto digit = std::string_view{"0123456789abcdef"}.find(lower(c));
    if (digit == std::string_view::npos) return false;
    left_ = left_ * 16 + digit;
  }
  return true;
}

ResponseParser::Progress ResponseParser::take_chunked(std::string_view& in) {
  if (stage_ == Stage::chunk) {
    if (take_counted(in) != Progress::more) return Progress::done;
    if (left_ == 0) stage_ = Stage::chunk_end;
    return Progress::more;
  }
  if (!take_line(in)) return Progress::more;
  if (stage_ == Stage::chunk_size) {
    if (!chunk_line()) return fail();
    stage_ = left_ == 0 ? Stage::trailer : Stage::chunk;
  } else if (stage_ == Stage::chunk_end) {
    if (line_ != "\r\n") return fail();
    stage_ = Stage::chunk_size;
  } else {
    trailer_bytes_ += line_.size();
    if (!line_.ends_with("\r\n") || trailer_bytes_ > head_max) return fail();
    if (line_ == "\r\n") return finish();
  }
  line_.clear();
  return Progress::more;
}

}  // namespace vesper
