#include "surge/plot.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <utility>

namespace vesper::surge {
namespace {

constexpr double width = 900, height = 260, left = 70, right = 12, top = 10, bottom = 30;
constexpr double floor_of_logarithm = 0.1;

// The next of 1, 2, 5, 10, 20, 50, ... that is not below `value`.
double round_up(double value) {
  if (value <= 0) return 1;
  const double power = std::pow(10.0, std::floor(std::log10(value)));
  for (const double step : {1.0, 2.0, 5.0})
    if (value <= step * power * 1.0000001) return step * power;
  return 10 * power;
}

struct Scale {
  double most_x = 1, most_y = 1;
  bool logarithmic = false;
  [[nodiscard]] double x(double at) const {
    return left + (width - left - right) * std::clamp(at / most_x, 0.0, 1.0);
  }
  [[nodiscard]] double y(double value) const {
    double share = value / most_y;
    if (logarithmic)
      share = std::log(std::max(value, floor_of_logarithm) / floor_of_logarithm) /
              std::log(most_y / floor_of_logarithm);
    return height - bottom - (height - top - bottom) * std::clamp(share, 0.0, 1.0);
  }
};

std::string number(double value) {
  if (value >= 1e6) return fmt::format("{:g}M", value / 1e6);
  if (value >= 1e4) return fmt::format("{:g}k", value / 1e3);
  return fmt::format("{:g}", value);
}

void draw_axes(std::string& out, const Plot& plot, const Scale& scale) {
  const auto to = std::back_inserter(out);
  std::vector<double> marks;
  if (scale.logarithmic)
    for (double mark = floor_of_logarithm; mark <= scale.most_y * 1.001; mark *= 10)
      marks.push_back(mark);
  else
    for (int i = 0; i <= 4; ++i) marks.push_back(scale.most_y * i / 4);
  for (const double mark : marks)
    fmt::format_to(to,
                   "<line class='grid' x1='{:.0f}' x2='{:.0f}' y1='{:.1f}' y2='{:.1f}'/>"
                   "<text x='{:.0f}' y='{:.1f}' text-anchor='end'>{}</text>",
                   left, width - right, scale.y(mark), scale.y(mark), left - 6, scale.y(mark) + 4,
                   number(mark));
  const double step = round_up(scale.most_x / 10);
  for (double at = 0; at <= scale.most_x; at += step)
    fmt::format_to(to, "<text x='{:.1f}' y='{:.0f}' text-anchor='middle'>{:g} s</text>",
                   scale.x(at), height - 10, at);
  fmt::format_to(to, "<text x='4' y='14'>{}</text>", html_escaped(plot.unit));
}

void draw_line(std::string& out, const Plot& plot, const PlotLine& line, const Scale& scale) {
  const auto to = std::back_inserter(out);
  bool open = false;
  const std::size_t points = std::min(plot.at_s.size(), line.values.size());
  for (std::size_t i = 0; i < points; ++i) {
    if (line.values[i] < 0) {
      if (std::exchange(open, false)) out += "'/>";
      continue;
    }
    if (!std::exchange(open, true))
      fmt::format_to(to, "<polyline class='c{}' points='", line.colour);
    fmt::format_to(to, "{:.1f},{:.1f} ", scale.x(plot.at_s[i]), scale.y(line.values[i]));
  }
  if (open) out += "'/>";
}

}  // namespace

std::string html_escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '<')
      out += "&lt;";
    else if (c == '>')
      out += "&gt;";
    else if (c == '&')
      out += "&amp;";
    else if (c == '"')
      out += "&quot;";
    else if (c == '\'')
      out += "&#39;";
    else
      out += c;
  }
  return out;
}

std::string to_svg(const Plot& plot) {
  Scale scale{.logarithmic = plot.logarithmic};
  double most = 0;
  for (const PlotLine& line : plot.lines)
    for (const double value : line.values) most = std::max(most, value);
  scale.most_y =
      plot.logarithmic
          ? std::max(1.0, std::pow(10.0, std::ceil(std::log10(std::max(most, floor_of_logarithm)))))
          : round_up(most);
  if (!plot.at_s.empty()) scale.most_x = std::max(1.0, plot.at_s.back());
  std::string out = fmt::format(
      "<figure><figcaption>{}</figcaption><svg xmlns=\"http://www.w3.org/2000/svg\" "
      "viewBox=\"0 0 {:.0f} {:.0f}\" role='img' aria-label='{}'>",
      html_escaped(plot.title), width, height, html_escaped(plot.title));
  draw_axes(out, plot, scale);
  for (const PlotLine& line : plot.lines) draw_line(out, plot, line, scale);
  out += "</svg><p class='legend'>";
  for (const PlotLine& line : plot.lines)
    out += fmt::format("<span class='k{}'>&#9644;</span> {} &#160; ", line.colour,
                       html_escaped(line.name));
  return out + "</p></figure>\n";
}

}  // namespace vesper::surge
