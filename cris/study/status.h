/// How far a study is: read from the journal and from the folders of its runs, without a lock.
#pragma once
#include <string>

#include "cris/study/plan.h"
#include "cris/study/tune.h"

namespace cris {

/// A line for the cell at work, of the study in the present directory: "cell 3 of 24, kvasir-seg-unet-crf: 6 of 20
/// trials (2 pruned), best 0.7121, ...".
std::string cell_line(const Plan& plan, const Cell& cell);
/// The whole table.
std::string status_text(const Plan& plan);

/// The tuning of a cell, or of the plain cell whose settings it takes.
Tuning tuning_of(const Plan& plan, const Cell& cell);
/// Whether a run met a value that is not finite, and so will have no result.
bool has_failed(const std::string& run);

}  // namespace cris
