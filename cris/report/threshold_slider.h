/// A slider on a report's page: what each method scores at other thresholds, and its maps cut there.
#pragma once
#include <string>
#include <vector>

#include "cris/report/comparison.h"

namespace cris {

/// The slider with its table: hidden until the script shows it, so a page without scripts loses nothing else.
std::string threshold_slider(const std::vector<ReportCell>& cells);
/// The script, for the end of the page. It reads curves.csv of each cell's first seed, which it holds, and cuts the
/// pictures of class "map".
std::string threshold_script(const std::vector<ReportCell>& cells);

}  // namespace cris
