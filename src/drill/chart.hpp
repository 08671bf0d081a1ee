#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vesper::drill {

/// A line of a chart; points in order of time, in seconds.
struct Line {
  std::string name, colour;
  std::vector<std::pair<double, double>> points{};
};

struct Chart {
  std::string title, unit;
  std::vector<Line> lines{};
  bool logarithmic = false;
  std::vector<std::pair<double, std::string>> marks{};  ///< upright lines with a word
};

/// The chart as inline SVG, with axes and legend; no script.
///   Bounds: each line is thinned to 600 points, keeping the highest of those that share one.
[[nodiscard]] std::string svg_of(const Chart& chart);

/// `text` fit for HTML.
[[nodiscard]] std::string escaped_html(std::string_view text);

}  // namespace vesper::drill
