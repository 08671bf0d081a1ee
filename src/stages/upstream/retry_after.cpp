#include <algorithm>
#include <array>
#include <chrono>

#include "stages/upstream/judge.hpp"

namespace vesper::upstream {
namespace {

/// Reads an HTTP date from left to right; `ok` falls and stays down at the first surprise.
class DateReader {
 public:
  explicit DateReader(std::string_view text) : text_(text) {}

  int digits(std::size_t count) {
    int value = 0;
    for (std::size_t i = 0; i < count; ++i) {
      if (text_.empty() || text_[0] < '0' || text_[0] > '9') return fail();
      value = value * 10 + (text_[0] - '0');
      text_.remove_prefix(1);
    }
    return value;
  }
  int month() {
    constexpr std::string_view names = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto at = text_.size() < 3 ? names.npos : names.find(text_.substr(0, 3));
    if (at == names.npos || at % 3 != 0) return fail();
    text_.remove_prefix(3);
    return static_cast<int>(at / 3) + 1;
  }
  void literal(std::string_view wanted) {
    if (!text_.starts_with(wanted)) {
      fail();
      return;
    }
    text_.remove_prefix(wanted.size());
  }
  bool take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool done() const { return ok_ && text_.empty(); }

 private:
  int fail() {
    ok_ = false;
    return 0;
  }
  std::string_view text_;
  bool ok_ = true;
};

struct Fields {
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
};

void read_time(DateReader& in, Fields& f) {
  f.hour = in.digits(2);
  in.literal(":");
  f.minute = in.digits(2);
  in.literal(":");
  f.second = in.digits(2);
}

std::optional<Fields> imf_fixdate(std::string_view text) {  // Sun, 06 Nov 1994 08:49:37 GMT
  DateReader in{text};
  Fields f;
  f.day = in.digits(2);
  in.literal(" ");
  f.month = in.month();
  in.literal(" ");
  f.year = in.digits(4);
  in.literal(" ");
  read_time(in, f);
  in.literal(" GMT");
  return in.done() ? std::optional{f} : std::nullopt;
}

std::optional<Fields> rfc850_date(std::string_view text) {  // Sunday, 06-Nov-94 08:49:37 GMT
  DateReader in{text};
  Fields f;
  f.day = in.digits(2);
  in.literal("-");
  f.month = in.month();
  in.literal("-");
  f.year = 2000 + in.digits(2);
  in.literal(" ");
  read_time(in, f);
  in.literal(" GMT");
  return in.done() ? std::optional{f} : std::nullopt;
}

std::optional<Fields> asctime_date(std::string_view text) {  // Nov  6 08:49:37 1994
  DateReader in{text};
  Fields f;
  f.month = in.month();
  in.literal(" ");
  f.day = in.take(' ') ? in.digits(1) : in.digits(2);
  in.literal(" ");
  read_time(in, f);
  in.literal(" ");
  f.year = in.digits(4);
  return in.done() ? std::optional{f} : std::nullopt;
}

std::optional<std::chrono::sys_seconds> http_date(std::string_view text) {
  std::optional<Fields> f;
  if (const auto comma = text.find(", "); comma != text.npos) {
    f = imf_fixdate(text.substr(comma + 2));
    if (!f) f = rfc850_date(text.substr(comma + 2));
  } else if (text.size() > 4 && text[3] == ' ') {
    f = asctime_date(text.substr(4));
  }
  if (!f || f->hour > 23 || f->minute > 59 || f->second > 60) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{f->year},
                                         std::chrono::month{static_cast<unsigned>(f->month)},
                                         std::chrono::day{static_cast<unsigned>(f->day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date} + std::chrono::hours{f->hour} +
         std::chrono::minutes{f->minute} + std::chrono::seconds{f->second};
}

}  // namespace

std::optional<Duration> parse_retry_after(std::string_view text, WallTime now, Duration longest) {
  if (text.empty()) return std::nullopt;
  if (text.find_first_not_of("0123456789") == text.npos) {
    std::int64_t seconds = 0;
    for (const char c : text)
      seconds = std::min<std::int64_t>(seconds * 10 + (c - '0'), 1'000'000'000);
    return std::min<Duration>(std::chrono::seconds{seconds}, longest);
  }
  const auto date = http_date(text);
  if (!date) return std::nullopt;
  // Compared in milliseconds: a far date in nanoseconds would overflow.
  const std::chrono::milliseconds wait = *date - now,
                                  most = std::chrono::duration_cast<std::chrono::milliseconds>(
                                      longest);
  return std::clamp(wait, std::chrono::milliseconds{0}, most);
}

}  // namespace vesper::upstream
