/// Axes with round ticks, lines, and a legend below the title.
#include "cris/report/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace cris {

namespace {

constexpr double kWidth = 560, kHeight = 360, kLeft = 62, kRight = 18, kTop = 62, kBottom = 48;
// Colours that stay apart for colour-blind readers.  Source: Okabe & Ito 2008.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555"};

/// 1, 2 or 5 times a power of ten, so that about five steps cover `span`.
double round_step(double span) {
  const double power = std::pow(10, std::floor(std::log10(span / 5)));
  const double rest = span / 5 / power;
  return power * (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10);
}

struct Axis {
  double low, high, step;
};

Axis make_axis(const Chart& chart, bool x) {
  const auto& wanted = x ? chart.x_range : chart.y_range;
  double low = INFINITY, high = -INFINITY;
  for (const Series& s : chart.series) {
    for (const auto& [px, py] : s.points) {
      const double v = x ? px : py;
      if (std::isfinite(v)) low = std::min(low, v), high = std::max(high, v);
    }
  }
  if (wanted) low = wanted->first, high = wanted->second;
  if (!(low <= high)) low = 0, high = 1;
  if (low == high) low -= 0.5, high += 0.5;
  double step = round_step(high - low);
  if (x && chart.x_label == "epoch") step = std::max(1.0, step);  // there is no epoch 1.5
  if (wanted) return {low, high, step};
  return {std::floor(low / step) * step, std::ceil(high / step) * step, step};
}

std::string tick_text(double v, double step) {
  const int digits = std::max(0, int(std::ceil(-std::log10(step) - 1e-9)));
  return fmt::format("{:.{}f}", std::abs(v) < step / 1e6 ? 0.0 : v, digits);
}

}  // namespace

std::string escape_markup(const std::string& text) {
  std::string safe;
  for (const char c : text) {
    if (c == '&')
      safe += "&amp;";
    else if (c == '<')
      safe += "&lt;";
    else if (c == '>')
      safe += "&gt;";
    else if (c == '"')
      safe += "&quot;";
    else
      safe += c;
  }
  return safe;
}

std::string to_svg(const Chart& chart) {
  const Axis ax = make_axis(chart, true), ay = make_axis(chart, false);
  const auto px = [&](double v) { return kLeft + (v - ax.low) / (ax.high - ax.low) * (kWidth - kLeft - kRight); };
  const auto py = [&](double v) {
    return kHeight - kBottom - (v - ay.low) / (ay.high - ay.low) * (kHeight - kTop - kBottom);
  };
  std::string svg = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" "
      "font-family=\"system-ui, sans-serif\" font-size=\"12\" fill=\"#444\">\n<rect width=\"{0}\" height=\"{1}\" "
      "rx=\"8\" "
      "fill=\"#fff\"/>\n<text x=\"{2}\" y=\"24\" font-size=\"15\" font-weight=\"600\" fill=\"#222\">{3}</text>\n",
      kWidth, kHeight, 18, escape_markup(chart.title));
  for (int i = 0; i <= int((ay.high - ay.low) / ay.step + 1e-6); ++i) {
    const double v = ay.low + i * ay.step, y = py(v);
    svg += fmt::format(
        "<line x1=\"{}\" x2=\"{}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"#e4e4e4\"/><text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>\n",
        kLeft, kWidth - kRight, y, y, kLeft - 8, y + 4, tick_text(v, ay.step));
  }
  for (int i = 0; i <= int((ax.high - ax.low) / ax.step + 1e-6); ++i) {
    const double v = ax.low + i * ax.step, x = px(v);
    svg += fmt::format(
        "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\" stroke=\"#bbb\"/><text x=\"{:.1f}\" y=\"{}\" "
        "text-anchor=\"middle\">{}</text>\n",
        x, x, kHeight - kBottom, kHeight - kBottom + 4, x, kHeight - kBottom + 18, tick_text(v, ax.step));
  }
  svg += fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2}\" y2=\"{2}\" stroke=\"#bbb\"/>\n", kLeft, kWidth - kRight,
                     kHeight - kBottom);
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (kLeft + kWidth - kRight) / 2,
                     kHeight - 10, escape_markup(chart.x_label));
  svg += fmt::format("<text transform=\"translate(16 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                     (kTop + kHeight - kBottom) / 2, escape_markup(chart.y_label));
  double legend = 18;
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const Series& s = chart.series[i];
    const char* colour = kColours[i % std::size(kColours)];
    const char* dash = s.dashed ? " stroke-dasharray=\"6 4\"" : "";
    std::string path;
    bool pen_down = false;
    for (const auto& [x, y] : s.points) {
      const bool drawable = std::isfinite(x) && std::isfinite(y);
      if (drawable) path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", px(x), py(y));
      pen_down = drawable;
    }
    svg += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"{}/>\n",
                       path, colour, dash);
    if (s.points.size() == 1 && pen_down)
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\" fill=\"{}\"/>\n", px(s.points[0].first),
                         py(s.points[0].second), colour);
    svg += fmt::format(
        "<line x1=\"{:.0f}\" x2=\"{:.0f}\" y1=\"42\" y2=\"42\" stroke=\"{}\" stroke-width=\"2.5\"{}/><text "
        "x=\"{:.0f}\" "
        "y=\"46\">{}</text>\n",
        legend, legend + 20, colour, dash, legend + 26, escape_markup(s.name));
    legend += 44 + 6.7 * double(s.name.size());
  }
  return svg + "</svg>\n";
}

}  // namespace cris
