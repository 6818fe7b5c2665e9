/// The tables that a run leaves (epochs.csv, per_image.csv, curves.csv), read back with every damage named.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "data/files.h"

namespace cris {

/// The cells of a CSV file, without its header.
using Rows = std::vector<std::vector<std::string>>;

using data::csv_field;  // a cell as it stands in a file

/// Rows of as many cells as the header; quotes as RFC 4180 has them. Throws data::FormatError naming the file, the line
/// and the remedy, also when the last line has no end. `header`: as the first row.
Rows read_csv(const std::string& path, bool header = false);
/// The number that is the whole of the text; nothing where there is none.
std::optional<double> to_number(const std::string& text);
/// The number in a cell. Throws data::FormatError naming the line of `file` when there is none.
double number(const Rows& rows, size_t row, size_t column, const std::string& file);
/// The lines of an epochs.csv, one an epoch, in order. A last line without end, which a killed run may leave and the
/// run that goes on cuts off, is passed over if `growing`. Throws as read_csv.
Rows read_epochs(const std::string& path, bool growing = false);

/// The whole of a file of a run. Throws data::FormatError with the remedy when it cannot be read.
std::string read_run_file(const std::string& path);
/// Throws data::FormatError that says how a file of a run is damaged, and the remedy.
[[noreturn]] void refuse_run_file(const std::string& path, const std::string& what);

}  // namespace cris
