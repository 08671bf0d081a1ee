#include "base/wall_time.hpp"

namespace vesper {
namespace {

constexpr bool digits(std::string_view s) {
  for (char c : s)
    if (c < '0' || c > '9') return false;
  return !s.empty();
}

constexpr int number(std::string_view s) {
  int n = 0;
  for (char c : s) n = n * 10 + (c - '0');
  return n;
}

void put(char* out, int value, int width) {
  for (int i = width - 1; i >= 0; --i, value /= 10) out[i] = static_cast<char>('0' + value % 10);
}

// The offset after the time: `Z`, `+hh:mm`, `-hh:mm`, or nothing.
bool parse_offset(std::string_view s, std::optional<int>& minutes) {
  if (s.empty()) return true;
  if (s == "Z") {
    minutes = 0;
    return true;
  }
  if (s.size() != 6 || (s[0] != '+' && s[0] != '-') || s[3] != ':' || !digits(s.substr(1, 2)) ||
      !digits(s.substr(4, 2)))
    return false;
  const int hours = number(s.substr(1, 2)), mins = number(s.substr(4, 2));
  if (hours > 14 || mins > 59 || (hours == 14 && mins != 0)) return false;
  minutes = (s[0] == '-' ? -1 : 1) * (hours * 60 + mins);
  return true;
}

}  // namespace

void format_wall_time(WallTime t, char* out) {
  using namespace std::chrono;
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const auto ms = static_cast<int>((t - day).count());
  put(out, static_cast<int>(date.year()), 4);
  out[4] = '-';
  put(out + 5, static_cast<int>(static_cast<unsigned>(date.month())), 2);
  out[7] = '-';
  put(out + 8, static_cast<int>(static_cast<unsigned>(date.day())), 2);
  out[10] = 'T';
  put(out + 11, ms / 3'600'000, 2);
  out[13] = ':';
  put(out + 14, ms / 60'000 % 60, 2);
  out[16] = ':';
  put(out + 17, ms / 1000 % 60, 2);
  out[19] = '.';
  put(out + 20, ms % 1000, 3);
  out[23] = 'Z';
}

std::string to_string(WallTime t) {
  std::string s(wall_time_chars, ' ');
  format_wall_time(t, s.data());
  return s;
}

std::optional<ParsedDateTime> parse_date_time(std::string_view s) {
  using namespace std::chrono;
  ParsedDateTime out{};
  int mon = 1, mday = 1;
  if (s.size() < 4 || !digits(s.substr(0, 4))) return {};
  const int yr = number(s.substr(0, 4));
  out.precision = 4;
  if (s.size() > 4) {
    if (s.size() < 7 || s[4] != '-' || !digits(s.substr(5, 2))) return {};
    mon = number(s.substr(5, 2));
    out.precision = 7;
  }
  if (s.size() > 7) {
    if (s.size() < 10 || s[7] != '-' || !digits(s.substr(8, 2))) return {};
    mday = number(s.substr(8, 2));
    out.precision = 10;
  }
  const year_month_day date{year{yr}, month{static_cast<unsigned>(mon)},
                            day{static_cast<unsigned>(mday)}};
  if (!date.ok() || yr == 0) return {};
  out.utc = sys_days{date};
  if (s.size() == 10 || s.size() == 7 || s.size() == 4) return out;
  if (s.size() < 19 || s[10] != 'T' || s[13] != ':' || s[16] != ':' || !digits(s.substr(11, 2)) ||
      !digits(s.substr(14, 2)) || !digits(s.substr(17, 2)))
    return {};
  const int hh = number(s.substr(11, 2)), mm = number(s.substr(14, 2)),
            ss = number(s.substr(17, 2));
  if (hh > 23 || mm > 59 || ss > 59) return {};
  out.utc += hours{hh} + minutes{mm} + seconds{ss};
  out.precision = 19;
  std::size_t at = 19;
  if (at < s.size() && s[at] == '.') {
    std::size_t end = ++at;
    while (end < s.size() && s[end] >= '0' && s[end] <= '9') ++end;
    if (end == at || end - at > 9) return {};
    int ms = 0;
    for (std::size_t i = 0; i < 3; ++i) ms = ms * 10 + (at + i < end ? s[at + i] - '0' : 0);
    out.utc += milliseconds{ms};
    out.precision = 23;
    at = end;
  }
  if (!parse_offset(s.substr(at), out.offset_minutes)) return {};
  if (out.offset_minutes) out.utc -= minutes{*out.offset_minutes};
  return out;
}

}  // namespace vesper
