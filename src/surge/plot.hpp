#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace vesper::surge {

/// One line of a plot; the colour is the number of its style, `.c1` to `.c6`.
struct PlotLine {
  std::string_view name;
  int colour = 1;
  std::vector<double> values{};  ///< one a point of the plot's axis; below zero: a gap
};

/// Values over time as inline SVG with a legend, coloured by the page's style sheet.
struct Plot {
  std::string_view title, unit;
  std::vector<double> at_s{};
  std::vector<PlotLine> lines{};
  bool logarithmic = false;  ///< of the values; those below its floor lie on the floor
};

[[nodiscard]] std::string to_svg(const Plot& plot);
/// Text as it may stand in HTML.
[[nodiscard]] std::string html_escaped(std::string_view text);

}  // namespace vesper::surge
