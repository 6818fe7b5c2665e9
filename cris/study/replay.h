/// Recomputes from a journal every decision that cris made in it.
#pragma once
#include <string>
#include <vector>

#include "cris/study/journal.h"

namespace cris {

struct JournalReplay {
  int64_t suggestions = 0, prunings = 0, values = 0;  ///< decisions that were recomputed
  int64_t others = 0;                                 ///< trials that other programs made, which are not
  std::vector<std::string> differences;  ///< a line each: study, trial, what the journal says, what is right
};

/// Compares what the trials of one study reported with the epochs.csv in their folders OUT/trial-NNNN. A line for each
/// report that differs. Throws data::FormatError where one cannot be read.
std::vector<std::string> compare_with_runs(const StudyRecord& study, const std::string& out);

/// Goes through the lines in order. Of every trial of cris: its settings from the trials that had ended when it began;
/// after every report, whether it was pruned; its value, which is the largest one reported. `study`: only that one;
/// empty: all.
JournalReplay replay_journal(const JournalContent& journal, const std::string& study = "");

}  // namespace cris
