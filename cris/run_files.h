/// A finished run read back from its files, for pages and tables.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cris/chart.h"
#include "cris/config.h"

namespace cris {

/// The cells of a CSV file, without its header.
using Rows = std::vector<std::vector<std::string>>;

/// Rows of as many cells as the header; quotes as RFC 4180 has them. Throws data::FormatError naming the file, the line
/// and the remedy, also when the last line has no end.
Rows read_csv(const std::string& path);
/// The number in a cell. Throws data::FormatError naming the line of `file` when there is none.
double number(const Rows& rows, size_t row, size_t column, const std::string& file);
/// The lines of an epochs.csv, one an epoch, in order. A last line without end, which a killed run may leave and the
/// run that goes on cuts off, is passed over if `growing`. Throws as read_csv.
Rows read_epochs(const std::string& path, bool growing = false);

struct RunFiles {
  std::string path, label;
  Config config;
  nlohmann::ordered_json evaluation, manifest;
  Rows epochs, curves, images;
};

/// Throws data::FormatError when `path` is no finished run or a file of it is damaged.
RunFiles read_run(const std::string& path);
/// Gives each run a label: what sets it apart from the others.
void label_runs(std::vector<RunFiles>& runs);
/// Columns x and y of rows that came from `file` of the run, as a line. Throws data::FormatError naming file and line.
Series series_of(const RunFiles& r, const std::string& file, const Rows& rows, size_t x, size_t y);
/// Dice of each image, in the file's order.
std::vector<double> dice_of_images(const RunFiles& r);
/// Those PNG files of a folder of the run whose names end so, in order; none when the folder is missing.
std::vector<std::string> pictures_of(const RunFiles& r, const std::string& folder, const std::string& end = ".png");

}  // namespace cris
