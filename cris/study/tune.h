/// Tuning: trials that draw settings by TPE, train, report each epoch's validation Dice and are pruned by the median.
/// Any number of processes work on one study at once; all that they share is the journal and the folder of the trials.
///
/// A trial is a run directory, OUT/trial-0007, an ordinary training without evaluation on the test set. Who holds the
/// directory's lock works on it. A running trial whose directory is free was left by a killed process: the next one
/// takes it over and goes on from its checkpoint. The value at step e is the validation Dice of epoch e (from 0), the
/// trial's value the largest of them. A training that meets a value that is not finite reports NaN and is pruned.
///
/// What is decided is a function of the lines before it in the journal: a suggestion of the trials that had ended, a
/// pruning of the complete ones. Both are made while the journal is locked.
#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "cris/run/experiment.h"
#include "cris/run/progress.h"
#include "cris/study/decisions.h"

namespace cris {

struct Tuning {
  Config base;                 ///< every setting but the searched ones
  std::string journal, study;  ///< the file; the study's name in it
  std::string out;             ///< folder of the trials' run directories
  SearchSpace search;
  int64_t trials = 20;  ///< complete and pruned ones; failed ones, which only others make, do not count
  uint64_t seed = 0;    ///< of the suggestions
  MedianPruner pruner = {};
  bool keep = false;                                ///< keep what is large in the folders of ended trials
  std::shared_ptr<const ExperimentData> data = {};  ///< opened from `base` before, so that it is not opened every time
};

/// OUT/trial-0007.
std::string trial_folder(const std::string& out, int64_t number);
/// The validation Dice of each epoch that the training in this folder has finished, as it was reported.
std::vector<double> dice_of_epochs(const std::string& folder);

/// done: worked on a trial until it was complete or pruned. busy: others hold all that is left. nothing_left: the study
/// has its trials. stopped: stop() said so; the trial has a checkpoint.
enum class Work { done, busy, nothing_left, stopped };

/// Takes one free or abandoned trial and works on it. Throws ConfigError when the study was begun with other settings,
/// Error for a journal or a folder that cannot be used, and what a training throws, except NonFiniteError; the trial
/// then waits for whoever goes on.
Work work_on_tuning(const Tuning& tuning, const std::function<bool()>& stop, Progress& progress);

struct TuningState {
  int64_t complete = 0, pruned = 0, running = 0;
  std::optional<double> best = {};  ///< the largest value; of equals the first
  std::map<std::string, std::string> best_settings = {};
  int64_t best_trial = -1;
  int64_t ended() const { return complete + pruned; }  ///< trials that count
};
/// Reads the journal, takes no lock. A study that is not there has no trials.
TuningState state_of(const Tuning& tuning);
/// The same of a journal that was read.
TuningState state_of(const Tuning& tuning, const JournalState& journal);

}  // namespace cris
