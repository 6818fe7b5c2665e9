/// Line charts as SVG text: drawn here, so that a report is one file and needs no other program.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cris {

using Points = std::vector<std::pair<double, double>>;

struct Series {
  std::string name;
  Points points = {};  ///< those that are not finite break the line
  bool dashed = false;
  Points band = {};   ///< low and high beside each point: several seeds
  Points marks = {};  ///< dots: the epoch that was kept
};

struct Chart {
  /// An axis whose label ends with ", %" shows its numbers times 100.
  std::string title, x_label, y_label;
  std::vector<Series> series = {};
  /// Extents of the axes; by default those of the points, rounded outward to ticks.
  std::optional<std::pair<double, double>> x_range = {}, y_range = {};
};
/// Without lines yet; both axes from 0 to 1.
Chart unit_chart(const std::string& title, const std::string& x_label, const std::string& y_label);

/// The most lines of one chart: more colours are not told apart.
constexpr size_t kMostSeries = 7;
/// The chart as one <svg> element, 560 x 360. Each line's name stands at its end, in its colour. Ink and paper are the
/// page's (--ink, --card) where it has them, else dark on white. Throws Error for more than kMostSeries lines.
std::string to_svg(const Chart& chart);
/// Colours that stay apart for colour-blind readers.  Source: Okabe & Ito 2008.
constexpr const char* kColours[] = {"#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555"};
/// The start of an <svg> element of that size in pixels: a card in the page's colour, with its title, which names it
/// for who cannot see it too.
std::string svg_begin(double width, double height, const std::string& title);
/// 1, 2 or 5 times a power of ten, so that about five steps cover `span`, which is above 0: between ticks.
double round_step(double span);
/// & < > " as entities.
std::string escape_markup(const std::string& text);
/// How many characters a text in UTF-8 has: "±" has two bytes.
size_t characters(const std::string& text);

}  // namespace cris
