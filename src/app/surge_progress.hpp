#pragma once
#include <string>

#include "surge/engine.hpp"

namespace vesper {

/// One line on how a surge goes.
[[nodiscard]] std::string progress_line(const surge::Progress& progress);
/// The report for people: a screen of text that begins with whether it can be believed.
[[nodiscard]] std::string surge_summary(const surge::Report& report);

}  // namespace vesper
