/// The records of a study: what its tables, intervals and decisions follow from, small enough for a repository.
///
/// RECORDS/plan.toml, study.journal, runs/CELL-seedN/{config.resolved.toml, manifest.json, evaluation.json, epochs.csv,
/// per_image.csv, curves.csv, SHA256SUMS}, and SHA256SUMS of all of these. Numbers of the CSV files have 5 significant
/// digits; per_image.csv keeps name, dice, precision, recall and mse. A run's SHA256SUMS lists the run's own files as
/// they were, checkpoints among them: whoever trains it again compares with these. Trials stand in the journal in the
/// order of the plan. No place on a machine and no name of one is kept, so records hold the same bytes whoever worked,
/// but for the times in the journal.
#pragma once
#include <cstdint>
#include <string>

#include "cris/study/plan.h"

namespace cris {

struct RecordsMade {
  int64_t runs = 0, missing = 0;  ///< final runs recorded, and those not complete yet
  int64_t bytes = 0;
};

/// Collects the records of the study in `folder` into the folder `out`, which holds the old ones until the new ones are
/// complete. Throws data::FormatError for a damaged run, and unless `out` is empty or holds records and is none of the
/// study's own folders; Error where nothing can be written.
RecordsMade collect_records(const Plan& plan, const std::string& folder, const std::string& out);

/// Throws data::FormatError naming the first file of `records` that SHA256SUMS has otherwise, or that is missing.
void require_records(const std::string& records);

}  // namespace cris
