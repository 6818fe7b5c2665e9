#include "cris/report/interval_chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "cris/report/svg_chart.h"

namespace cris {

namespace {
const char *const kMeasured = kColours[0], *const kClaimed = kColours[1];

std::string dot(double x, double y, bool filled) {
  return fmt::format("<circle cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"4\" style=\"fill:{};stroke:{};stroke-width:2\"/>", x, y,
                     filled ? kMeasured : "var(--card,#fff)", kMeasured);
}
std::string diamond(double x, double y) {
  return fmt::format(
      "<path d=\"M{:.1f} {:.1f}l5 5l-5 5l-5 -5z\" style=\"fill:var(--card,#fff);stroke:{};stroke-width:1.5\"/>", x,
      y - 5, kClaimed);
}
std::string words_at(double x, double y, const char* attributes, const std::string& words) {
  return fmt::format("<text x=\"{:.1f}\" y=\"{:.1f}\"{}>{}</text>\n", x, y, attributes, escape_markup(words));
}
}  // namespace

std::string interval_chart(const std::string& title, const std::string& x_label, const std::vector<Estimate>& rows) {
  constexpr double kTop = 70, kRow = 24, kBottom = 50, kPlot = 320, kMargin = 22;
  double low = 0, high = 0;
  size_t longest = 0;
  bool claims = false;
  for (const Estimate& e : rows) {
    const double claimed = e.claimed.value_or(e.mean);
    low = std::min({low, e.low, claimed}), high = std::max({high, e.high, claimed});
    longest = std::max(longest, characters(e.label));
    claims |= e.claimed.has_value();
  }
  if (low == high) high = 1;
  const double step = round_step(high - low);
  low = std::floor(low / step) * step, high = std::ceil(high / step) * step;
  const double left = 36 + 6.6 * double(longest), right = left + kPlot, bottom = kTop + kRow * double(rows.size());
  const auto px = [&](double v) { return left + (v - low) / (high - low) * (right - left); };
  std::string svg = svg_begin(std::max(560.0, right + kMargin), bottom + kBottom, title);
  svg += dot(24, 44, true) + words_at(34, 48, "", "measured, 95 % interval; filled where it excludes 0");
  if (claims) svg += diamond(364, 44) + words_at(374, 48, "", "claimed");
  const int ticks = int(std::lround((high - low) / step));
  for (int i = 0; i <= ticks; ++i) {
    const double v = low + i * step, x = px(v);
    const bool zero = std::abs(v) < step / 1e6;
    svg += fmt::format("<line x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1}\" y2=\"{2:.1f}\" style=\"stroke:{3}\"/>", x,
                       kTop - 8, bottom, zero ? "var(--soft,#777)" : "var(--line,#e4e4e4)");
    svg += words_at(x, bottom + 18, " text-anchor=\"middle\"", fmt::format("{:g}", zero ? 0.0 : v));
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const Estimate& e = rows[i];
    const double y = kTop + kRow * (double(i) + 0.5);
    svg += words_at(18, y + 4, " style=\"fill:var(--ink,#222)\"", e.label);
    svg +=
        fmt::format("<line x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\" stroke=\"{}\" stroke-width=\"2\"/>",
                    px(e.low), px(e.high), y, y, kMeasured);
    if (e.claimed) svg += diamond(px(*e.claimed), y);
    svg += dot(px(e.mean), y, e.low > 0 || e.high < 0) + "\n";
  }
  svg += words_at((left + right) / 2, bottom + 40, " text-anchor=\"middle\"", x_label);
  return svg + "</svg>\n";
}

}  // namespace cris
