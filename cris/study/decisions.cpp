/// Decisions.
#include "cris/study/decisions.h"

#include <algorithm>
#include <cmath>
#include <iterator>

#include "cris/study/tpe.h"
#include "nn/json_text.h"

namespace cris {

namespace {
constexpr std::pair<const char*, int64_t MedianPruner::*> kPruner[] = {
    {"startup_trials", &MedianPruner::startup_trials},
    {"warmup_steps", &MedianPruner::warmup_steps},
    {"interval_steps", &MedianPruner::interval_steps},
    {"least_trials", &MedianPruner::least_trials}};
}  // namespace

JournalLine StudyRules::json() const {
  JournalLine rules = {{"seed", seed}, {"search", search.specifications()}};
  for (const auto& [key, value] : kPruner) rules["pruner"][key] = pruner.*value;
  return rules;
}

StudyRules StudyRules::parse(const std::string& text) {
  try {
    const auto json = nn::parse_json<JournalLine>(text);
    StudyRules rules{.seed = json.at("seed"),
                     .search = SearchSpace::parse(json.at("search").get<std::vector<std::string>>())};
    for (const auto& [key, value] : kPruner) rules.pruner.*value = json.at("pruner").at(key);
    for (const auto& [key, value] : json.at("pruner").items())
      tensor::require(value >= int(key == "interval_steps"), "the pruner's {} is {}", key, value.dump());
    return rules;
  } catch (const std::exception& e) {
    throw tensor::Error(fmt::format("{} is damaged: {}", kRulesAttribute, e.what()));
  }
}

bool is_ours(const Trial& trial) { return trial.attributes.contains(kSeenAttribute); }

std::vector<Trial> ended_trials(const StudyRecord& study) {
  std::vector<Trial> ended;
  std::ranges::copy_if(study.trials, std::back_inserter(ended), &Trial::ended);
  return ended;
}

std::map<std::string, double> decide_settings(const StudyRules& rules, const std::vector<Trial>& ended,
                                              int64_t number) {
  std::map<std::string, double> settings;
  for (const Dimension& d : rules.search.dimensions) settings[d.name] = suggest(d, ended, rules.seed, number);
  return settings;
}

bool decide_to_prune(const StudyRules& rules, const StudyRecord& study, const Trial& trial) {
  if (!trial.intermediate.empty() && std::isnan(trial.intermediate.rbegin()->second)) return true;
  return rules.pruner.prunes(study.trials, trial);
}

bool pruned_at_last_report(const StudyRules& rules, const std::vector<JournalLine>& lines, int64_t trial_id) {
  const auto reports = [&](const JournalLine& line) {
    return line.at("op_code") == kReport && line.at("trial_id") == trial_id;
  };
  const auto last = std::find_if(lines.rbegin(), lines.rend(), reports);
  JournalState then;
  for (auto line = lines.begin(); line != last.base(); ++line) then.apply(*line);
  return last != lines.rend() && decide_to_prune(rules, *then.study_of(trial_id), *then.trial(trial_id));
}

}  // namespace cris
