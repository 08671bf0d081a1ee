#pragma once
#include <cstdint>
#include <string_view>

#include "base/arena.hpp"
#include "model/diary.hpp"
#include "stages/decode/faults.hpp"

namespace vesper::decoding {

inline constexpr std::size_t name_bytes_max = 64;      ///< trial, form, version
inline constexpr std::size_t subject_bytes_max = 128;  ///< subject, device id, app
inline constexpr std::size_t reason_bytes_max = 1000;  ///< reason of an amendment
inline constexpr std::size_t number_chars_max = 64;    ///< digits of one number
inline constexpr std::size_t questionnaire_bytes_max = 512;

/// A member beside the answers, as text, and whether it was there at all.
struct Stated {
  std::string_view path{};  ///< in the sender's terms
  std::string_view text{};
  bool given = false;
  std::uint32_t line = 0;  ///< XML and ODM
};

/// The members that raw JSON, XML and ODM share.
struct StatedMembers {
  Stated submission_id{.path = "submissionId"}, trial_id{.path = "trialId"},
      subject_id{.path = "subjectId"}, form{.path = "form"}, form_version{.path = "formVersion"},
      authored{.path = "authored"}, language{.path = "language"}, device_id{.path = "device.id"},
      device_app{.path = "device.app"}, utc_offset{.path = "device.utcOffsetMinutes"},
      amends{.path = "amends"}, reason{.path = "reason"};
};

/// True for 1 to `bytes_max` bytes without control characters; else one issue.
bool check_name(const Stated& member, std::size_t bytes_max, Faults& faults);
/// The member as a UUID; nothing and one issue when it is given and is none.
std::optional<Uuid> check_uuid(const Stated& member, Faults& faults);
/// Reads authored into the diary; without an offset the device's is used.
void check_authored(const Stated& member, std::string_view offset_advice, Faults& faults,
                    Diary& diary);
void check_language(const Stated& member, Faults& faults, Diary& diary);
/// Judges all of them and fills the diary.
void settle_members(const StatedMembers& members, Faults& faults, Diary& diary);

}  // namespace vesper::decoding
