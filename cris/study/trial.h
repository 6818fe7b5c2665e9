/// A trial of a study: one choice of the searched settings, and what came of it.
#pragma once
#include <cmath>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>

namespace cris {

/// Numbered as in Optuna's journal.
enum class TrialState { running, complete, pruned, failed, waiting };

struct Trial {
  int64_t id = 0;      ///< counts all trials of the journal from 0
  int64_t number = 0;  ///< counts the trials of its study from 0
  TrialState state = TrialState::running;
  /// By setting: the number itself, or the index of a choice.
  std::map<std::string, double> params = {};
  std::map<std::string, std::string> distributions = {};  ///< by setting: what it was drawn from, as Optuna's JSON
  std::map<int64_t, double> intermediate = {};            ///< by step; NaN where there was no finite value
  std::optional<double> value = {};                       ///< of a complete trial
  std::map<std::string, std::string> attributes = {};     ///< system attributes, each as JSON
  /// The largest value reported; NaN when there is none.
  double best_reported() const {
    double most = std::numeric_limits<double>::quiet_NaN();
    for (const auto& [_, reported] : intermediate) most = std::fmax(most, reported);
    return most;
  }
  /// Complete or pruned: what the sampler learns from.
  bool ended() const { return state == TrialState::complete || state == TrialState::pruned; }
};

}  // namespace cris
