/// The report of one run or several: one HTML file that needs nothing else, not even a network.
#pragma once
#include <string>
#include <vector>

namespace cris {

/// Tables, training curves, precision-recall curves, the worst images and the manifest of each of `runs`, side by side
/// where they compare. Throws data::FormatError when a directory is not a finished run.
std::string html_report(const std::vector<std::string>& runs, const std::string& title);

}  // namespace cris
