/// Line charts as SVG text: drawn here, so that a report is one file and needs no other program.
#pragma once
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace cris {

struct Series {
  std::string name;
  std::vector<std::pair<double, double>> points;  ///< points that are not finite break the line
  bool dashed = false;
};

struct Chart {
  std::string title, x_label, y_label;
  std::vector<Series> series;
  /// Extents of the axes; by default those of the points, rounded outward to ticks.
  std::optional<std::pair<double, double>> x_range, y_range;
};

/// The chart as one <svg> element, 560 x 360, light on any page.
std::string to_svg(const Chart& chart);
/// & < > " as entities.
std::string escape_markup(const std::string& text);

}  // namespace cris
