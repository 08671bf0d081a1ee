#pragma once
#include <cstddef>
#include <expected>
#include <string>
#include <string_view>

namespace vesper::surge {

/// A raw diary as bytes, with the places at which its id and its patient are written.
///   Shape: made once from any JSON diary; each use copies it and overwrites both places.
struct DiaryTemplate {
  std::string body;
  std::size_t id_at = 0, subject_at = 0;
};

inline constexpr std::size_t subject_chars = 9;  ///< `S-0000000`

/// `S-` and seven digits.
void format_subject(std::uint32_t patient, char* out);

/// Sets the trial, and room for an id and a subject. Missing members are put in.
///   Errors: one sentence; the text is not a JSON object, or one of the three is not a string.
[[nodiscard]] std::expected<DiaryTemplate, std::string> make_diary_template(std::string_view diary,
                                                                            std::string_view trial);

}  // namespace vesper::surge
