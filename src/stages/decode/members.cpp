#include "stages/decode/members.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>

#include <fmt/format.h>

namespace vesper::decoding {
namespace {

constexpr int utc_offset_minutes_max = 14 * 60;
constexpr std::size_t language_chars_max = 35;  // RFC 5646, 4.4.1

void report(Faults& faults, const Stated& member, IssueCode code, std::string_view what) {
  if (member.line == 0) {
    faults.add(code, fmt::format("{} {}", member.path, what), std::string{member.path});
  } else {
    faults.add(code, fmt::format("Line {}: {} {}", member.line, member.path, what),
               std::string{member.path});
  }
}

bool has_control(std::string_view text) {
  return std::ranges::any_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

bool check_required(const Stated& member, Faults& faults) {
  if (member.given) return true;
  faults.add(IssueCode::required, fmt::format("{} is missing.", member.path),
             std::string{member.path});
  return false;
}

PatientText settle_name(const Stated& member, std::size_t bytes_max, Faults& faults) {
  return member.given && check_name(member, bytes_max, faults) ? PatientText{member.text}
                                                               : PatientText{};
}

void settle_utc_offset(const Stated& member, Faults& faults, Diary& diary) {
  if (!member.given) return;
  int minutes = 0;
  const char* last = member.text.data() + member.text.size();
  const auto [end, error] = std::from_chars(member.text.data(), last, minutes);
  if (error != std::errc{} || end != last || minutes < -utc_offset_minutes_max ||
      minutes > utc_offset_minutes_max) {
    report(faults, member, IssueCode::value, "must be whole minutes from -840 to 840.");
    return;
  }
  diary.device.utc_offset_minutes = minutes;
}

void settle_amendment(const StatedMembers& members, Faults& faults, Diary& diary) {
  if (!members.amends.given) return;
  diary.amends = check_uuid(members.amends, faults);
  if (diary.amends && diary.amends == diary.submission_id)
    report(faults, members.amends, IssueCode::value, "must name an earlier submission.");
  if (!members.reason.given) {
    report(faults, members.reason, IssueCode::required, "is missing: an amendment needs a reason.");
    return;
  }
  if (members.reason.text.empty() || members.reason.text.size() > reason_bytes_max) {
    report(faults, members.reason, IssueCode::value, "must have 1 to 1000 bytes.");
    return;
  }
  if (members.reason.text.find('\0') != std::string_view::npos) {
    report(faults, members.reason, IssueCode::value, "must not contain U+0000.");
    return;
  }
  diary.amend_reason = PatientText{members.reason.text};
}

}  // namespace

bool check_name(const Stated& member, std::size_t bytes_max, Faults& faults) {
  if (member.text.empty() || member.text.size() > bytes_max) {
    report(faults, member, member.text.empty() ? IssueCode::value : IssueCode::too_long,
           fmt::format("must have 1 to {} bytes.", bytes_max));
    return false;
  }
  if (has_control(member.text)) {
    report(faults, member, IssueCode::value, "must not hold control characters.");
    return false;
  }
  return true;
}

std::optional<Uuid> check_uuid(const Stated& member, Faults& faults) {
  auto id = parse_uuid(member.text);
  if (!id) report(faults, member, IssueCode::value, "must be a UUID, 8-4-4-4-12 hex digits.");
  return id;
}

void check_authored(const Stated& member, std::string_view offset_advice, Faults& faults,
                    Diary& diary) {
  if (!check_required(member, faults)) return;
  auto parsed = parse_date_time(member.text);
  if (!parsed || parsed->precision < 19) {
    report(faults, member, IssueCode::value,
           "must be a date and time such as 2026-11-20T20:14:05+08:00.");
    return;
  }
  if (!parsed->offset_minutes) {
    if (!diary.device.utc_offset_minutes) {
      report(faults, member, IssueCode::value, offset_advice);
      return;
    }
    parsed->offset_minutes = diary.device.utc_offset_minutes;
    parsed->utc -= std::chrono::minutes{*parsed->offset_minutes};
  }
  diary.authored_text = PatientText{member.text};
  diary.authored = *parsed;
}

void check_language(const Stated& member, Faults& faults, Diary& diary) {
  if (!member.given) return;
  const bool fits = !member.text.empty() && member.text.size() <= language_chars_max &&
                    std::ranges::all_of(member.text, [](char c) {
                      return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
                             (c >= 'A' && c <= 'Z') || c == '-';
                    });
  if (!fits) {
    report(faults, member, IssueCode::value, "must be a language tag such as zh-CN.");
    return;
  }
  diary.language = member.text;
}

void settle_members(const StatedMembers& members, Faults& faults, Diary& diary) {
  if (members.submission_id.given) diary.submission_id = check_uuid(members.submission_id, faults);
  if (check_required(members.trial_id, faults))
    diary.trial_id = settle_name(members.trial_id, name_bytes_max, faults);
  if (check_required(members.subject_id, faults))
    diary.subject_id = settle_name(members.subject_id, subject_bytes_max, faults);
  if (check_required(members.form, faults))
    diary.form_id = settle_name(members.form, name_bytes_max, faults).reveal();
  if (check_required(members.form_version, faults))
    diary.form_version = settle_name(members.form_version, name_bytes_max, faults).reveal();
  diary.device.id = settle_name(members.device_id, subject_bytes_max, faults);
  diary.device.app = settle_name(members.device_app, subject_bytes_max, faults);
  settle_utc_offset(members.utc_offset, faults, diary);
  check_authored(members.authored,
                 "needs an offset (Z or +08:00) when device.utcOffsetMinutes is absent.", faults,
                 diary);
  check_language(members.language, faults, diary);
  settle_amendment(members, faults, diary);
}

}  // namespace vesper::decoding
