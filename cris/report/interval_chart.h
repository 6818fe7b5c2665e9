/// Estimates with their intervals, a row each, as SVG text.
#pragma once
#include <optional>
#include <string>
#include <vector>

namespace cris {

/// All in the unit of the axis.
struct Estimate {
  std::string label;
  double mean, low, high;              ///< low and high: the ends of its 95 % interval
  std::optional<double> claimed = {};  ///< what somebody else said it is
};

/// One <svg> element, 560 wide or as wide as its labels ask: a dot and a bar for each row over a common axis of which 0
/// is a part, the dot filled where the interval excludes 0; claims are diamonds. Ink and paper as to_svg has them
/// (cris/report/svg_chart.h).
std::string interval_chart(const std::string& title, const std::string& x_label, const std::vector<Estimate>& rows);

}  // namespace cris
