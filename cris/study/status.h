/// How far a study is: read from the journal and from the folders of its runs, without a lock.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "cris/study/plan.h"
#include "cris/study/tune.h"

namespace cris {

struct CellStatus {
  TuningState tuning;
  int64_t runs_complete = 0, runs_failed = 0;
  double epochs_left = 0;                        ///< of trials as long as they were so far, and of final runs
  std::optional<double> seconds_per_epoch = {};  ///< measured in this cell
};

/// Of the study in the present directory, by cell of the plan.
std::vector<CellStatus> status_of(const Plan& plan);
/// Of one worker: epochs left by their measured times; cells not begun take the mean of the others. Nothing as long as
/// no epoch was measured.
std::optional<double> seconds_left(const std::vector<CellStatus>& cells);
/// A line for the cell at work: "cell 3 of 24, kvasir-seg-unet-crf: 6 of 20 trials (2 pruned), best 0.7121, ...".
std::string cell_line(const Plan& plan, const Cell& cell);
/// The whole table.
std::string status_text(const Plan& plan);

/// The tuning of a cell, or of the plain cell whose settings it takes.
Tuning tuning_of(const Plan& plan, const Cell& cell);
/// Trials that count: complete and pruned.
int64_t ended(const TuningState& state);
/// Whether a run met a value that is not finite, and so will have no result.
bool has_failed(const std::string& run);

}  // namespace cris
