/// Pruning decisions.
#include "cris/study/median_pruner.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace cris {

namespace {

/// Whether no earlier step of this interval was reported, so that the pruner is asked now.
bool is_first_of_its_interval(const std::map<int64_t, double>& reported, int64_t warmup, int64_t interval) {
  const int64_t step = reported.rbegin()->first, begin = (step - warmup) / interval * interval + warmup;
  return reported.size() < 2 || std::next(reported.rbegin())->first < begin;
}

}  // namespace

bool MedianPruner::prunes(std::span<const Trial> trials, const Trial& trial) const {
  if (trial.intermediate.empty()) return false;
  const int64_t step = trial.intermediate.rbegin()->first;
  int64_t complete = 0, reported = 0;
  std::vector<double> at_step;
  for (const Trial& t : trials) {
    if (t.state != TrialState::complete) continue;
    ++complete;
    const auto value = t.intermediate.find(step);
    if (value == t.intermediate.end()) continue;
    ++reported;
    if (!std::isnan(value->second)) at_step.push_back(value->second);
  }
  if (complete == 0 || complete < startup_trials || step < warmup_steps) return false;
  if (!is_first_of_its_interval(trial.intermediate, warmup_steps, interval_steps)) return false;
  const double best = trial.best_reported();
  if (std::isnan(best)) return true;
  if (reported < least_trials || at_step.empty()) return false;
  std::sort(at_step.begin(), at_step.end());
  const double below = at_step[(at_step.size() - 1) / 2], above = at_step[at_step.size() / 2];
  // In the order in which numpy rounds, so that decisions are the same ones.
  return best < above - (above - below) * 0.5;
}

}  // namespace cris
