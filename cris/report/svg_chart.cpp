/// Axes with round ticks, lines, and each line's name at its end.
#include "cris/report/svg_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "tensor/check.h"

namespace cris {

namespace {

constexpr double kWidth = 560, kHeight = 360, kLeft = 62, kTop = 44, kBottom = 48;

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
    for (const auto& [below, above] : s.band)
      if (!x) low = std::min(low, below), high = std::max(high, above);
  }
  if (wanted) low = wanted->first, high = wanted->second;
  if (!(low <= high)) low = 0, high = 1;
  if (low == high) low -= 0.5, high += 0.5;
  double step = round_step(high - low);
  if (x && chart.x_label == "epoch") step = std::max(1.0, step);            // there is no epoch 1.5
  if (wanted || (x && chart.x_label == "epoch")) return {low, high, step};  // there is no epoch 0
  return {std::floor(low / step) * step, std::ceil(high / step) * step, step};
}

std::string tick_text(double v, double step, const std::string& label) {
  if (label.ends_with(", %")) v *= 100, step *= 100;
  const int digits = std::max(0, int(std::ceil(-std::log10(step) - 1e-9)));
  return fmt::format("{:.{}f}", std::abs(v) < step / 1e6 ? 0.0 : v, digits);
}

/// Where each line's name stands: at the height of its last point, moved apart where names would overlap.
std::vector<double> label_heights(const Chart& chart, const std::function<double(double)>& py) {
  constexpr double kApart = 14, kLowest = kHeight - kBottom;
  std::vector<double> heights;
  std::vector<size_t> order;
  for (const Series& s : chart.series) {
    double y = kLowest;
    for (const auto& [px, v] : s.points)
      if (std::isfinite(v)) y = py(v);
    order.push_back(heights.size());
    heights.push_back(y);
  }
  std::ranges::stable_sort(order, {}, [&](size_t i) { return heights[i]; });
  double before = kTop - kApart;
  for (const size_t i : order) before = heights[i] = std::max(heights[i], before + kApart);
  double after = kLowest + kApart;
  for (auto i = order.rbegin(); i != order.rend(); ++i) after = heights[*i] = std::min(heights[*i], after - kApart);
  return heights;
}

}  // namespace

Chart unit_chart(const std::string& title, const std::string& x_label, const std::string& y_label) {
  return {.title = title, .x_label = x_label, .y_label = y_label, .x_range = {{0, 1}}, .y_range = {{0, 1}}};
}

double round_step(double span) {
  const double power = std::pow(10, std::floor(std::log10(span / 5)));
  const double rest = span / 5 / power;
  return power * (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10);
}

std::string svg_begin(double width, double height, const std::string& title) {
  return fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" role=\"img\" "
      "aria-label=\"{2}\" font-family=\"system-ui, sans-serif\" font-size=\"12\" style=\"fill:var(--soft,#444)\">\n"
      "<rect width=\"{0}\" height=\"{1}\" rx=\"8\" style=\"fill:var(--card,#fff)\"/>\n"
      "<text x=\"18\" y=\"24\" font-size=\"15\" font-weight=\"600\" style=\"fill:var(--ink,#222)\">{2}</text>\n",
      width, height, escape_markup(title));
}

std::string escape_markup(const std::string& text) {
  std::string safe;
  for (const char c : text)
    safe += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '"' ? "&quot;" : std::string(1, c);
  return safe;
}

size_t characters(const std::string& text) {
  return size_t(std::ranges::count_if(text, [](char c) { return (uint8_t(c) & 0xC0) != 0x80; }));
}

std::string to_svg(const Chart& chart) {
  tensor::check(chart.series.size() <= kMostSeries, "chart {}: {} lines, and {} colours", chart.title,
                chart.series.size(), kMostSeries);
  size_t longest = 0;
  for (const Series& s : chart.series) longest = std::max(longest, s.name.size());
  const double right = kWidth - std::clamp(16 + 7.0 * double(longest), 18.0, 230.0);
  const Axis ax = make_axis(chart, true), ay = make_axis(chart, false);
  const auto px = [&](double v) { return kLeft + (v - ax.low) / (ax.high - ax.low) * (right - kLeft); };
  const auto py = [&](double v) {
    return kHeight - kBottom - (v - ay.low) / (ay.high - ay.low) * (kHeight - kTop - kBottom);
  };
  std::string svg = svg_begin(kWidth, kHeight, chart.title);
  const char* const faint = "style=\"stroke:var(--line,#e4e4e4)\"";
  for (int i = 0; i <= int((ay.high - ay.low) / ay.step + 1e-6); ++i) {
    const double v = ay.low + i * ay.step, y = py(v);
    svg += fmt::format(
        "<line x1=\"{}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" {}/><text x=\"{}\" y=\"{:.1f}\" "
        "text-anchor=\"end\">{}</text>\n",
        kLeft, right, y, y, faint, kLeft - 8, y + 4, tick_text(v, ay.step, chart.y_label));
  }
  for (int i = 0; i <= int((ax.high - ax.low) / ax.step + 1e-6); ++i) {
    const double v = ax.low + i * ax.step, x = px(v);
    svg += fmt::format(
        "<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{}\" y2=\"{}\" {}/><text x=\"{:.1f}\" y=\"{}\" "
        "text-anchor=\"middle\">{}</text>\n",
        x, x, kHeight - kBottom, kHeight - kBottom + 4, faint, x, kHeight - kBottom + 18,
        tick_text(v, ax.step, chart.x_label));
  }
  svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", (kLeft + right) / 2,
                     kHeight - 10, escape_markup(chart.x_label));
  svg += fmt::format("<text transform=\"translate(16 {:.1f}) rotate(-90)\" text-anchor=\"middle\">{}</text>\n",
                     (kTop + kHeight - kBottom) / 2, escape_markup(chart.y_label));
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const Series& s = chart.series[i];
    if (s.band.size() != s.points.size() || s.band.empty()) continue;
    std::string outline;
    for (size_t k = 0; k < s.points.size(); ++k)
      outline += fmt::format("{:.1f},{:.1f} ", px(s.points[k].first), py(s.band[k].second));
    for (size_t k = s.points.size(); k-- > 0;)
      outline += fmt::format("{:.1f},{:.1f} ", px(s.points[k].first), py(s.band[k].first));
    svg += fmt::format("<polygon points=\"{}\" fill=\"{}\" opacity=\"0.15\"/>\n", outline, kColours[i]);
  }
  const std::vector<double> heights = label_heights(chart, py);
  for (size_t i = 0; i < chart.series.size(); ++i) {
    const Series& s = chart.series[i];
    std::string path;
    bool pen_down = false;
    for (const auto& [x, y] : s.points) {
      const bool drawable = std::isfinite(x) && std::isfinite(y);
      if (drawable) path += fmt::format("{}{:.1f} {:.1f}", pen_down ? "L" : "M", px(x), py(y));
      pen_down = drawable;
    }
    svg += fmt::format("<path d=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" stroke-linejoin=\"round\"{}/>\n",
                       path, kColours[i], s.dashed ? " stroke-dasharray=\"6 4\"" : "");
    Points dots = s.marks;
    if (s.points.size() == 1 && pen_down) dots.push_back(s.points[0]);
    for (const auto& [x, y] : dots)
      svg += fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\" fill=\"{}\"/>\n", px(x), py(y), kColours[i]);
    svg += fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\" fill=\"{}\" style=\"fill:{}\">{}</text>\n", right + 8,
                       heights[i] + 4, kColours[i], kColours[i], escape_markup(s.name));
  }
  return svg + "</svg>\n";
}

}  // namespace cris
