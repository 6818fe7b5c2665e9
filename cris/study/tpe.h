/// The tree-structured Parzen estimator (Bergstra et al. 2011), one setting at a time, with the defaults of
/// Optuna 3.6's TPESampler (Akiba et al. 2019).
///
/// Until 10 trials ended, values are drawn uniformly. From then on the n ended trials are split: the better
/// min(ceil(n / 10), 25) and the others. Complete trials come first, the largest value before the others; pruned ones
/// follow, those that got further before the others, then by their last values, a NaN last. l is the Parzen estimator
/// of the better trials' values, g that of the others'. Of 24 values drawn from l the one with the largest l(x) / g(x)
/// is taken, which is the one of largest expected improvement.
///
/// Draws are numbers of the stream (seed, setting's name, trial's number): a suggestion is a function of these and of
/// the trials seen, of nothing else.
#pragma once
#include <span>
#include <vector>

#include "cris/study/parzen.h"
#include "cris/study/trial.h"

namespace cris {

constexpr int64_t kStartupTrials = 10, kCandidates = 24;

/// Ended trials, each part in the order of their numbers.
struct TrialSplit {
  std::vector<const Trial*> better, others;
};
TrialSplit split_trials(std::span<const Trial> seen);

/// Where l(x) / g(x) is largest, the first of equals. `candidates` is not empty.
size_t best_candidate(const ParzenEstimator& l, const ParzenEstimator& g, const std::vector<double>& candidates);

/// The value of `dimension` for trial `number`. `seen`: the trials that had ended, in the order of their numbers;
/// values that they have of the setting lie in its range.
double suggest(const Dimension& dimension, std::span<const Trial> seen, uint64_t seed, int64_t number);

}  // namespace cris
