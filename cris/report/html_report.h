/// One run or several as a page: tables, curves, images, and how each was made.
#pragma once
#include <string>
#include <vector>

#include "cris/report/comparison.h"

namespace cris {

/// The tables of the page.
std::vector<Table> report_tables(const std::vector<ReportCell>& cells);
/// One offline HTML file: pictures are in it, no script is needed.
std::string html_report(const std::vector<ReportCell>& cells, const std::string& title);

}  // namespace cris
