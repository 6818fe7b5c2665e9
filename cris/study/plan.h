/// The plan of a study: which cells are compared, how each is tuned, and how often its best setting is trained.
///
/// A cell is a data set, a backbone, a strategy and, where the plan has variants, one of these. docs/reference/study.md
/// lists the keys of the file.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cris/run/config.h"

namespace cris {

constexpr int64_t kMostTrials = 100000;  ///< of one cell

struct StudySet {
  std::string name;    ///< of its folders and in --data NAME=DIR
  int64_t images = 0;  ///< the pairs that its folder must hold, for checks and estimates; 0: any number
};

struct Cell {
  std::string name;          ///< SET-BACKBONE-STRATEGY, and -VARIANT where it has one
  std::string set, variant;  ///< variant: "" for the paper's own cells
  Config config = {};        ///< resolved, of its final runs before tuning; no data.dir, the first seed
  bool tuned = true;         ///< false: takes the settings found for the same cell without variant
  std::string begins_with;   ///< the cell whose run of the same seed each of its runs starts from; "": none
};

struct Plan {
  std::string file, text;  ///< where it was read, and all of it
  int64_t trials = 20, trial_epochs = 12, epochs = 12;
  std::vector<int64_t> seeds = {0, 1, 2};
  int64_t tuning_seed = 0;
  std::vector<std::string> search = {"train.learning_rate=1e-6..1e-2:log"};  ///< as `cris tune --search` has it
  bool keep_models = false;  ///< of the final runs: the checkpoint of the epoch kept
  std::vector<StudySet> sets = {};
  std::vector<Cell> cells = {};  ///< in the order of work: sets, then variants, backbones, strategies
};

/// Throws ConfigError with file and line: syntax, a key that is unknown or of another type, settings that cannot run.
Plan read_plan(const std::string& path);

/// Throws ConfigError for a name that the plan does not have.
const StudySet& set_of(const Plan& plan, const std::string& name);
const Cell& cell_of(const Plan& plan, const std::string& name);

/// Throws ConfigError naming the first cell of `before` that `now` lacks or has with other settings: a study goes on
/// with more cells and more seeds, and with nothing else changed.
void require_continues(const Plan& before, const Plan& now);

// ---- where things are, relative to the study's folder ---------------------------------------------------------------
constexpr const char* kJournal = "study.journal";
std::string data_folder(const Cell& cell);  ///< data-SIZE/SET
std::string trials_folder(const Cell& cell);
std::string run_folder(const Cell& cell, int64_t seed);
/// The configuration of a trial, and of a final run before tuning.
Config trial_config(const Plan& plan, const Cell& cell);
Config final_config(const Plan& plan, const Cell& cell, int64_t seed);
/// With this device and so many threads; "" and 0: as the configuration says.
Config on_this_machine(Config config, const std::string& device, int64_t threads);

}  // namespace cris
