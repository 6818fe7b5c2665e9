/// The replay of journals.
#include "cris/study/replay.h"

#include <cmath>
#include <set>

#include "cris/study/decisions.h"
#include "cris/study/tune.h"

namespace cris {

namespace {

/// The last bits of logarithms differ from one C library to the next.
bool nearly(double a, double b) { return a == b || std::abs(a - b) <= 1e-9 * std::max(std::abs(a), std::abs(b)); }

class Replayer {
 public:
  Replayer(JournalReplay& result, const std::string& study) : result_(result), only_(study) {}

  void follow(const JournalLine& line) {
    const int op = line.at("op_code");
    if (op == kCreateTrial) return follow_beginning(line);
    const int64_t id = op == kReport || op == kSetState ? line.at("trial_id").get<int64_t>() : -1;
    const Trial* trial = state_.trial(id);
    if (!trial || !is_ours(*trial) || trial->state != TrialState::running || !chosen(*state_.study_of(id)))
      return state_.apply(line);
    const StudyRecord& study = *state_.study_of(id);
    if (ends_.contains(id) && (op == kReport || line.at("state") != int(TrialState::pruned)))
      differ(study, *trial, "it goes on; by the median at its last report it is pruned");
    if (op == kSetState) return follow_end(study, *trial, line);
    ends_.erase(id);
    state_.apply(line);
    ++result_.prunings;
    if (decide_to_prune(rules_of(study), study, *state_.trial(id))) ends_.insert(id);
  }

 private:
  JournalReplay& result_;
  std::string only_;
  JournalState state_;
  std::set<int64_t> ends_;  // trials whose last report prunes them

  bool chosen(const StudyRecord& study) const { return only_.empty() || study.name == only_; }
  StudyRules rules_of(const StudyRecord& study) const {
    return StudyRules::parse(study.attributes.at(kRulesAttribute));
  }
  void differ(const StudyRecord& study, const Trial& trial, const std::string& what) {
    result_.differences.push_back(fmt::format("{}, trial {}: {}", study.name, trial.number, what));
  }

  void follow_beginning(const JournalLine& line) {
    const StudyRecord* study = state_.study(line.at("study_id").get<int64_t>());
    if (!study) return;
    const std::vector<Trial> ended = ended_trials(*study);
    state_.apply(line);
    if (!chosen(*study)) return;
    const Trial& trial = study->trials.back();
    if (!is_ours(trial) || !study->attributes.contains(kRulesAttribute)) {
      ++result_.others;
      return;
    }
    ++result_.suggestions;
    JournalLine numbers = JournalLine::array();
    for (const Trial& t : ended) numbers.push_back(t.number);
    if (const std::string& seen = trial.attributes.at(kSeenAttribute); seen != numbers.dump())
      differ(*study, trial, fmt::format("{} {}; {} had ended", kSeenAttribute, seen, numbers.dump()));
    for (const auto& [key, value] : decide_settings(rules_of(*study), ended, trial.number)) {
      const auto at = trial.params.find(key);
      if (at == trial.params.end() || !nearly(at->second, value))
        differ(*study, trial,
               fmt::format("{} = {}; the suggestion is {}", key,
                           at == trial.params.end() ? "nothing" : fmt::format("{}", at->second), value));
    }
  }

  void follow_end(const StudyRecord& study, const Trial& trial, const JournalLine& line) {
    const TrialState end = TrialState(line.at("state").get<int>());
    if (end == TrialState::pruned && ends_.erase(trial.id) == 0)
      differ(study, trial, "it is pruned; by the median at its last report it goes on");
    if (end == TrialState::complete) ++result_.values;
    const int64_t id = trial.id;
    state_.apply(line);
    const Trial& now = *state_.trial(id);
    const double value = now.best_reported();
    if (end == TrialState::complete && !(now.value && *now.value == value))
      differ(study, now, fmt::format("its value is {}; the largest reported is {}", now.value.value_or(NAN), value));
  }
};

}  // namespace

JournalReplay replay_journal(const JournalContent& journal, const std::string& study) {
  JournalReplay result;
  Replayer replayer(result, study);
  for (const JournalLine& line : journal.lines) replayer.follow(line);
  return result;
}

std::vector<std::string> compare_with_runs(const StudyRecord& study, const std::string& out) {
  std::vector<std::string> differences;
  for (const Trial& t : study.trials) {
    if (!is_ours(t) || t.intermediate.empty()) continue;
    const std::string folder = trial_folder(out, t.number);
    const std::vector<double> dice = dice_of_epochs(folder);
    for (const auto& [step, value] : t.intermediate)
      // A training that met a value that is not finite has no line of that epoch.
      if (std::isnan(value) ? step < int64_t(dice.size()) : step >= int64_t(dice.size()) || dice[size_t(step)] != value)
        differences.push_back(
            fmt::format("{}, trial {}: epoch {} is {}; {}/epochs.csv has {}", study.name, t.number, step + 1, value,
                        folder, step < int64_t(dice.size()) ? fmt::format("{}", dice[size_t(step)]) : "none"));
  }
  return differences;
}

}  // namespace cris
