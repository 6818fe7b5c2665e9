/// The median pruner: ends a trial whose best value so far is worse than what most complete trials had at the same
/// step. Large values are good. As Optuna's MedianPruner (Akiba et al. 2019; the rule is that of Golovin et al. 2017,
/// Google Vizier).
#pragma once
#include <span>

#include "cris/study/trial.h"

namespace cris {

struct MedianPruner {
  int64_t startup_trials = 5;  ///< nothing is pruned before as many are complete
  int64_t warmup_steps = 0;    ///< nothing is pruned at an earlier step
  int64_t interval_steps = 1;  ///< it is asked at the first report of every so many, counted from the warm-up's end
  int64_t least_trials = 1;    ///< that reported at the step
  bool operator==(const MedianPruner&) const = default;

  /// Whether `trial` ends after its last report. Of `trials`, the complete ones are compared with. The median of an
  /// even number is the mean of the middle two; a NaN counts in neither the median nor the best so far; a trial that
  /// reported nothing else is pruned.
  bool prunes(std::span<const Trial> trials, const Trial& trial) const;
};

}  // namespace cris
