#pragma once
#include <string_view>

#include <fmt/core.h>

namespace vesper {

/// Text that came from or is about a patient: a subject id, an answer, a note.
///   Why: it has no formatter and no conversion, so logging it or putting it into a label does not
///   compile. Only code that stores, checks or delivers a diary calls reveal().
///   Shape: a view; it lives as long as the diary's buffer or arena.
class PatientText {
 public:
  constexpr PatientText() = default;
  constexpr explicit PatientText(std::string_view text) : text_(text) {}
  [[nodiscard]] constexpr std::string_view reveal() const { return text_; }
  [[nodiscard]] constexpr bool empty() const { return text_.empty(); }
  friend constexpr bool operator==(PatientText, PatientText) = default;

 private:
  std::string_view text_;
};

}  // namespace vesper

template <class Char>
struct fmt::formatter<vesper::PatientText, Char>;  // declared, never defined: see the class comment
