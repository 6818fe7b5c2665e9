/// Where two files of a run begin to differ, for people who look for an edited number.
#pragma once
#include <string>

namespace cris {

/// Numbers a and b are alike where |a - b| <= tolerance * max(1, |b|); with tolerance 0 the texts must be the same.
/// "/measures/dice: recorded 0.9, recomputed 0.8": the first value of a JSON text that differs, by its path; "" when
/// none does. Throws Error when a text is not JSON.
std::string first_difference_json(const std::string& recorded, const std::string& recomputed, double tolerance);

/// The same of two files, by their endings: a JSON path; the line, first cell and column of a CSV file. Of others, such
/// as pictures, whether their bytes differ; with a tolerance those are not compared. A missing or damaged `recorded`
/// file is a difference.
std::string first_difference(const std::string& recorded, const std::string& recomputed, double tolerance);

}  // namespace cris
