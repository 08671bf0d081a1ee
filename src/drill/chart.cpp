#include "drill/chart.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace vesper::drill {
namespace {

constexpr double width = 560, height = 220, left = 64, right = 12, top = 34, bottom = 26;
constexpr std::size_t points_max = 600;

struct Scale {
  double x_max = 1, y_min = 0, y_max = 1;
  bool logarithmic = false;
  [[nodiscard]] double x(double value) const {
    return left + value / x_max * (width - left - right);
  }
  [[nodiscard]] double y(double value) const {
    const double share =
        logarithmic ? std::log10(std::max(value, y_min) / y_min) / std::log10(y_max / y_min)
                    : value / y_max;
    return height - bottom - std::clamp(share, 0.0, 1.0) * (height - top - bottom);
  }
};

Scale scale_of(const Chart& chart) {
  Scale scale;
  scale.logarithmic = chart.logarithmic;
  double highest = 0;
  for (const Line& line : chart.lines)
    for (const auto& [x, y] : line.points) {
      scale.x_max = std::max(scale.x_max, x);
      highest = std::max(highest, y);
    }
  if (chart.logarithmic) {
    scale.y_min = 0.1;
    scale.y_max = std::pow(10, std::ceil(std::log10(std::max(highest, 1.0)) + 1e-9));
    return scale;
  }
  const double step = std::pow(10, std::floor(std::log10(std::max(highest, 1e-3))));
  scale.y_max = std::ceil(std::max(highest, 1e-3) / step) * step;
  return scale;
}

std::string grid_of(const Scale& scale) {
  std::string out;
  const auto rule = [&](double value) {
    out += fmt::format(R"(<line x1="{0:.0f}" x2="{1:.0f}" y1="{2:.1f}" y2="{2:.1f}" class="g"/>)"
                       R"(<text x="{3:.0f}" y="{4:.1f}" text-anchor="end">{5:g}</text>)",
                       left, width - right, scale.y(value), left - 6, scale.y(value) + 4, value);
  };
  if (scale.logarithmic)
    for (double value = scale.y_min; value <= scale.y_max * 1.01; value *= 10) rule(value);
  else
    for (int i = 0; i <= 4; ++i) rule(scale.y_max * i / 4);
  for (int i = 0; i <= 5; ++i) {
    const double at = std::round(scale.x_max * i / 5);
    out += fmt::format(R"(<text x="{:.1f}" y="{:.0f}" text-anchor="middle">{:g} s</text>)",
                       scale.x(at), height - 8, at);
  }
  return out;
}

std::string path_of(const Line& line, const Scale& scale) {
  std::string out;
  const std::size_t each = line.points.size() / points_max + 1;
  for (std::size_t i = 0; i < line.points.size(); i += each) {
    const auto end = std::min(i + each, line.points.size());
    const auto highest =
        std::max_element(line.points.begin() + static_cast<std::ptrdiff_t>(i),
                         line.points.begin() + static_cast<std::ptrdiff_t>(end),
                         [](const auto& a, const auto& b) { return a.second < b.second; });
    out += fmt::format("{}{:.1f},{:.1f}", out.empty() ? "M" : "L", scale.x(line.points[i].first),
                       scale.y(highest->second));
  }
  return fmt::format(R"(<path d="{}" fill="none" stroke="{}" stroke-width="1.6"/>)", out,
                     line.colour);
}

}  // namespace

std::string escaped_html(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string svg_of(const Chart& chart) {
  const Scale scale = scale_of(chart);
  std::string out = fmt::format(
      R"(<svg viewBox="0 0 {0:.0f} {1:.0f}" width="{0:.0f}" height="{1:.0f}" role="img">)"
      R"(<text x="{2:.0f}" y="14" class="t">{3}{4}</text>)",
      width, height, left, escaped_html(chart.title),
      chart.unit.empty() ? "" : ", " + escaped_html(chart.unit));
  out += grid_of(scale);
  for (const auto& [at, word] : chart.marks)
    out += fmt::format(R"(<line x1="{0:.1f}" x2="{0:.1f}" y1="{1:.0f}" y2="{2:.0f}" class="m"/>)"
                       R"(<text x="{3:.1f}" y="{4:.0f}" class="w">{5}</text>)",
                       scale.x(at), top, height - bottom, scale.x(at) + 3, top + 9,
                       escaped_html(word));
  double legend = left;
  for (const Line& line : chart.lines) {
    if (!line.points.empty()) out += path_of(line, scale);
    out += fmt::format(R"(<text x="{:.0f}" y="28" fill="{}">{}</text>)", legend, line.colour,
                       escaped_html(line.name));
    legend += 14 + 7 * static_cast<double>(line.name.size());
  }
  return out + "</svg>";
}

}  // namespace vesper::drill
