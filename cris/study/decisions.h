/// What a study decides, as functions of its record: used while it runs, and by whoever recomputes it later.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "cris/study/journal.h"
#include "cris/study/median_pruner.h"
#include "cris/study/search.h"

namespace cris {

/// The system attributes that decisions depend on: of a study its rules, of a trial the numbers of the trials that had
/// ended when it began.
constexpr const char *kRulesAttribute = "cris:rules", *kSeenAttribute = "cris:seen";

/// The direction of a study of cris: its value is to be large.
constexpr int kMaximize = 2;

struct StudyRules {
  uint64_t seed = 0;
  SearchSpace search;
  MedianPruner pruner = {};
  JournalLine json() const;
  /// Throws Error when the text is none that json() makes.
  static StudyRules parse(const std::string& text);
};

/// Whether cris made the trial.
bool is_ours(const Trial& trial);
/// Complete and pruned trials, by number.
std::vector<Trial> ended_trials(const StudyRecord& study);
/// The settings of a trial that begins when `ended` have ended.
std::map<std::string, double> decide_settings(const StudyRules& rules, const std::vector<Trial>& ended, int64_t number);
/// Whether the trial ends after its last report: that is NaN, or the pruner says so.
bool decide_to_prune(const StudyRules& rules, const StudyRecord& study, const Trial& trial);
/// The same for the last report of the trial that a journal has, with the journal as it was then. False when there is
/// none.
bool pruned_at_last_report(const StudyRules& rules, const std::vector<JournalLine>& lines, int64_t trial_id);

}  // namespace cris
