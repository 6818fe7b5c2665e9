/// Counts and times of a study's folder.
#include "cris/study/status.h"

#include <algorithm>
#include <filesystem>

#include "cris/run/progress.h"
#include "cris/run/timing.h"
#include "cris/study/complete_run.h"

namespace fs = std::filesystem;

namespace cris {

namespace {

struct CellStatus {
  TuningState tuning;
  int64_t runs_complete = 0, runs_failed = 0;
  double epochs_left = 0;                        // of trials as long as they were so far, and of final runs
  std::optional<double> seconds_per_epoch = {};  // measured in this cell
};

CellStatus status_of_cell(const Plan& plan, const Cell& cell, const JournalState& journal) {
  CellStatus s{.tuning = state_of(tuning_of(plan, cell), journal)};
  Timing trials, all;
  const auto add = [&](Timing& sum, const Timing& t) { sum.epochs += t.epochs, sum.seconds += t.seconds; };
  std::error_code none;
  if (cell.tuned && fs::is_directory(trials_folder(cell), none))
    for (const auto& entry : fs::directory_iterator(trials_folder(cell))) add(trials, read_timing(entry.path()));
  add(all, trials);
  for (const int64_t seed : plan.seeds) {
    const std::string run = run_folder(cell, seed);
    const Timing t = read_timing(run);
    add(all, t);
    const bool complete = is_complete_run(run), failed = has_failed(run);
    s.runs_complete += complete, s.runs_failed += failed;
    if (!complete && !failed) s.epochs_left += double(std::max<int64_t>(0, plan.epochs - t.epochs));
  }
  if (cell.tuned && plan.trials > 0) {
    const int64_t done = s.tuning.ended();
    const double epochs_of_trial = done > 0 ? double(trials.epochs) / double(done) : double(plan.trial_epochs);
    s.epochs_left += epochs_of_trial * double(std::max<int64_t>(0, plan.trials - done));
  }
  if (all.epochs > 0) s.seconds_per_epoch = all.seconds / double(all.epochs);
  return s;
}

std::string tuning_text(const Plan& plan, const Cell& cell, const TuningState& t) {
  if (plan.trials == 0) return "no tuning";
  std::string text = cell.tuned ? fmt::format("{} of {} trials", t.ended(), plan.trials) : "settings of the plain cell";
  if (cell.tuned && t.pruned > 0) text += fmt::format(" ({} pruned)", t.pruned);
  if (!t.best) return text;
  text += fmt::format(", best {:.4f}", *t.best);
  for (const auto& [key, value] : t.best_settings) text += fmt::format(" at {} {}", key, short_value(value));
  return text;
}

/// What is left for one worker: epochs by their measured times; cells not begun take the mean of the others.
std::string left_text(const std::vector<CellStatus>& cells) {
  std::vector<double> measured;
  for (const CellStatus& c : cells)
    if (c.seconds_per_epoch) measured.push_back(*c.seconds_per_epoch);
  if (measured.empty()) return "no epoch measured yet";
  double seconds = 0;
  for (const CellStatus& c : cells) seconds += c.epochs_left * c.seconds_per_epoch.value_or(spread(measured).mean);
  return seconds > 0 ? fmt::format("about {} of work left for one such worker", duration_text(seconds))
                     : "no work is left";
}

std::vector<CellStatus> status_of(const Plan& plan) {
  const JournalContent journal = read_journal(kJournal);
  std::vector<CellStatus> all;
  for (const Cell& cell : plan.cells) all.push_back(status_of_cell(plan, cell, journal.state));
  return all;
}

}  // namespace

std::string cell_line(const Plan& plan, const Cell& cell) {
  const std::vector<CellStatus> all = status_of(plan);
  const auto at = size_t(&cell - plan.cells.data());
  return fmt::format("cell {} of {}, {}: {}; {} of {} final runs; {}", at + 1, all.size(), cell.name,
                     tuning_text(plan, cell, all[at].tuning), all[at].runs_complete, plan.seeds.size(), left_text(all));
}

std::string status_text(const Plan& plan) {
  const std::vector<CellStatus> all = status_of(plan);
  size_t width = 0;
  int64_t complete = 0;
  for (const Cell& cell : plan.cells) width = std::max(width, cell.name.size());
  std::string text;
  for (size_t i = 0; i < all.size(); ++i) {
    const CellStatus& s = all[i];
    complete += s.runs_complete == int64_t(plan.seeds.size());
    text +=
        fmt::format("{:>3}  {:<{}}  {} of {} final runs{}  {}{}\n", i + 1, plan.cells[i].name, width, s.runs_complete,
                    plan.seeds.size(), s.runs_failed ? fmt::format(", {} not finite", s.runs_failed) : "",
                    tuning_text(plan, plan.cells[i], s.tuning),
                    s.seconds_per_epoch ? fmt::format("  {:.1f} s an epoch", *s.seconds_per_epoch) : "");
  }
  return text + fmt::format("{} of {} cells are complete; {}\n", complete, all.size(), left_text(all));
}

Tuning tuning_of(const Plan& plan, const Cell& cell) {
  const std::string plain = cell.name.substr(0, cell.name.size() - cell.variant.size() - 1);
  const Cell& of = cell.tuned ? cell : cell_of(plan, plain);
  return {.base = trial_config(plan, of),
          .journal = kJournal,
          .study = of.name,
          .out = trials_folder(of),
          .search = SearchSpace::parse(plan.search),
          .trials = plan.trials,
          .seed = uint64_t(plan.tuning_seed)};
}

bool has_failed(const std::string& run) {
  std::error_code none;
  return fs::exists(run + "/nonfinite", none) && !is_complete_run(run);
}

}  // namespace cris
