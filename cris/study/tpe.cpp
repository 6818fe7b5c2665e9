/// Suggestions.
#include "cris/study/tpe.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/hash.h"
#include "tensor/check.h"
#include "tensor/random.h"

namespace cris {

namespace {

/// Sorts before others what is better. Complete trials: by value; pruned ones behind them: by the last step, the
/// furthest first, and the value there; those that reported nothing come last.
struct Rank {
  int group;
  double step, value;
  auto operator<=>(const Rank&) const = default;
};

Rank rank_of(const Trial& trial) {
  if (trial.state == TrialState::complete) return {0, 0, -trial.value.value()};
  if (trial.intermediate.empty()) return {1, 1, 0};
  const auto& [step, value] = *trial.intermediate.rbegin();
  return {1, -double(step), std::isnan(value) ? std::numeric_limits<double>::infinity() : -value};
}

std::vector<double> values_of(const std::string& name, const std::vector<const Trial*>& trials) {
  std::vector<double> values;
  for (const Trial* t : trials)
    if (const auto at = t->params.find(name); at != t->params.end()) values.push_back(at->second);
  return values;
}

/// Inside the unit interval: both ends excluded.
double draw(const tensor::RandomKey& key, uint64_t i) { return tensor::uniform(key, i) + 0x1p-33; }

}  // namespace

TrialSplit split_trials(std::span<const Trial> seen) {
  std::vector<const Trial*> order;
  for (const Trial& t : seen) {
    tensor::check(t.ended(), "trial {} has not ended", t.number);
    order.push_back(&t);
  }
  std::ranges::stable_sort(order, {}, [](const Trial* t) { return rank_of(*t); });
  const auto better = std::min<size_t>(size_t(std::ceil(0.1 * double(order.size()))), 25);
  TrialSplit split{{order.begin(), order.begin() + ptrdiff_t(better)},
                   {order.begin() + ptrdiff_t(better), order.end()}};
  for (auto* part : {&split.better, &split.others}) std::ranges::sort(*part, {}, &Trial::number);
  return split;
}

size_t best_candidate(const ParzenEstimator& l, const ParzenEstimator& g, const std::vector<double>& candidates) {
  size_t best = 0;
  double most = -std::numeric_limits<double>::infinity();
  for (size_t i = 0; i < candidates.size(); ++i)
    if (const double gain = l.log_density(candidates[i]) - g.log_density(candidates[i]); gain > most)
      most = gain, best = i;
  return best;
}

double suggest(const Dimension& dimension, std::span<const Trial> seen, uint64_t seed, int64_t number) {
  const tensor::RandomKey key{seed, nn::stream_of("study/" + dimension.name), uint32_t(number)};
  if (int64_t(seen.size()) < kStartupTrials) return uniform_value(dimension, draw(key, 0));
  const TrialSplit split = split_trials(seen);
  const ParzenEstimator l(dimension, values_of(dimension.name, split.better));
  const ParzenEstimator g(dimension, values_of(dimension.name, split.others));
  std::vector<double> candidates;
  for (uint64_t i = 0; i < uint64_t(kCandidates); ++i)
    candidates.push_back(l.sample(draw(key, 2 * i), draw(key, 2 * i + 1)));
  return candidates[best_candidate(l, g, candidates)];
}

}  // namespace cris
