/// Work on a study: taking trials, training them, and writing what came of them.
#include "cris/study/tune.h"

#include <cmath>
#include <filesystem>
#include <limits>
#include <sstream>

#include "cris/nonfinite.h"
#include "cris/run/csv.h"
#include "cris/run/trainer.h"
#include "tensor/machine/atomic_file.h"

namespace fs = std::filesystem;

namespace cris {

namespace {

constexpr const char *kConfigAttribute = "cris:config", *kDataAttribute = "cris:data";
/// Says of a folder which trial it is; that it is there says that the folder is the trial's.
constexpr const char* kTrialFile = "/trial.json";

StudyRules rules_in(const Tuning& t) { return {.seed = t.seed, .search = t.search, .pruner = t.pruner}; }

/// The configuration that all trials share, wherever the data lie and whoever computes.
std::string shared_config(const Tuning& t) {
  Config c = t.base;
  c.data.dir = c.data.split = "";
  c.data.cache = true;
  for (const Dimension& d : t.search.dimensions)
    set_config(c, d.name, d.text(d.kind == Dimension::Kind::choice ? 0 : d.low), "--search");
  return portable_toml(c);
}

/// "epochs = 3, not epochs = 2": the first settings that two lists of the same ones do not share.
std::string first_difference(const JournalLine& before, const JournalLine& now) {
  const JournalLine a = before.flatten(), b = now.flatten();
  const auto text = [](const auto& at) {
    return at->is_string() ? at->template get<std::string>()
                           : at.key().substr(at.key().rfind('/') + 1) + " = " + at->dump();
  };
  for (auto x = a.begin(), y = b.begin(); x != a.end() && y != b.end(); ++x, ++y)
    if (*x != *y) return fmt::format("{}, not {}", text(x), text(y));
  return "one of them is of another version of cris";
}

void require_unchanged(const Tuning& t, const StudyRecord& study, const char* attribute, const JournalLine& now) {
  const auto was = study.attributes.find(attribute);
  require_config(was != study.attributes.end(), "{}: the study {} was not begun by cris tune; give --name of another",
                 t.journal, study.name);
  require_config(was->second == now.dump(),
                 "{}: the study {} was begun with other settings ({}); give these, or --name of another study",
                 t.journal, study.name, first_difference(JournalLine::parse(was->second), now));
}

/// The study in the journal, begun where it is missing.
const StudyRecord& study_in(const Tuning& t, JournalSession& journal) {
  if (!journal.state().study(t.study))
    journal.append({{{"op_code", kCreateStudy}, {"study_name", t.study}, {"directions", {kMaximize}}}});
  JournalLine config = JournalLine::array();
  std::istringstream lines(shared_config(t));
  for (std::string line; std::getline(lines, line);)
    if (!line.empty()) config.push_back(line);
  const StudyRecord& study = *journal.state().study(t.study);
  require_config(study.directions == std::vector{kMaximize},
                 "{}: the study {} does not maximise one value, as the Dice needs; give --name of another study",
                 t.journal, study.name);
  for (const auto& [attribute, value] :
       {std::pair{kRulesAttribute, rules_in(t).json()}, std::pair{kConfigAttribute, config}}) {
    // Whoever was killed while it began the study left it without; one that others filled is none of ours.
    if (!study.attributes.contains(attribute) && study.trials.empty())
      journal.append({{{"op_code", kSetStudySystem}, {"study_id", study.id}, {"system_attr", {{attribute, value}}}}});
    require_unchanged(t, study, attribute, value);
  }
  for (const Trial& trial : study.trials)
    for (const Dimension& d : t.search.dimensions) {
      if (const auto at = trial.params.find(d.name); at != trial.params.end())
        require_config(d.holds(at->second),
                       "{}: trial {} of {} has {} = {}, which its search does not hold; give --name of another study",
                       t.journal, trial.number, study.name, d.name, at->second);
      if (const auto at = trial.distributions.find(d.name); at != trial.distributions.end())
        require_config(nlohmann::json::parse(at->second, nullptr, false) == nlohmann::json::parse(d.distribution()),
                       "{}: trial {} of {} drew {} from {}, not from {}; give --name of another study", t.journal,
                       trial.number, study.name, d.name, at->second, d.distribution());
    }
  return study;
}

struct Taken {
  Trial trial;  ///< as it began
  std::unique_ptr<RunDirectory> run;
};

/// The trial's directory, unless another process works in it.
std::unique_ptr<RunDirectory> lock_directory(const std::string& folder) {
  try {
    return std::make_unique<RunDirectory>(folder);
  } catch (const tensor::FolderInUse&) {
    return nullptr;
  }
}

std::optional<Taken> take_abandoned(const Tuning& t, const StudyRecord& study) {
  for (const Trial& trial : study.trials) {
    if (trial.state != TrialState::running || !is_ours(trial)) continue;
    const std::string folder = trial_folder(t.out, trial.number);
    tensor::require(
        fs::exists(folder + kTrialFile),
        "{}: trial {} of the study {} is running, and {} is not there; give the -o of its first workers, or "
        "make that file to begin the trial anew",
        t.journal, trial.number, study.name, folder + kTrialFile);
    if (auto run = lock_directory(folder)) return Taken{trial, std::move(run)};
  }
  return std::nullopt;
}

std::optional<Taken> begin_trial(const Tuning& t, const StudyRecord& study, JournalSession& journal) {
  const auto number = int64_t(study.trials.size());
  const std::vector<Trial> ended = ended_trials(study);
  const std::map<std::string, double> settings = decide_settings(rules_in(t), ended, number);
  const std::string folder = trial_folder(t.out, number);
  JournalLine about = {{"study", t.study}, {"trial", number}, {"settings", JournalLine::object()}};
  JournalLine params = JournalLine::object(), distributions = JournalLine::object(), seen = JournalLine::array();
  for (const Dimension& d : t.search.dimensions) {
    params[d.name] = settings.at(d.name);
    distributions[d.name] = d.distribution();
    about["settings"][d.name] = d.text(settings.at(d.name));
  }
  for (const Trial& trial : ended) seen.push_back(trial.number);
  tensor::require(!fs::exists(folder + "/manifest.json"), "{} holds a run that {} does not know; choose another -o",
                  folder, t.journal);
  auto run = lock_directory(folder);
  tensor::require(run != nullptr, "{}: another process works in it, and {} does not know it; choose another -o", folder,
                  t.journal);
  // First the folder, then the line: a trial that is running has a folder.
  tensor::write_file_atomically(folder + kTrialFile, about.dump(2) + "\n");
  journal.append({{{"op_code", kCreateTrial},
                   {"study_id", study.id},
                   {"datetime_start", journal_time()},
                   {"distributions", distributions},
                   {"params", params},
                   {"system_attrs", {{kSeenAttribute, seen}}}}});
  return Taken{study.trials.back(), std::move(run)};
}

/// A trial to work on; else why there is none.
std::optional<Taken> take_trial(const Tuning& t, Work& none) {
  JournalSession journal(t.journal);
  const StudyRecord& study = study_in(t, journal);
  if (auto taken = take_abandoned(t, study)) return taken;
  const int64_t running = std::ranges::count(study.trials, TrialState::running, &Trial::state);
  none = running > 0 ? Work::busy : Work::nothing_left;
  if (std::ranges::count_if(study.trials, &Trial::ended) + running >= t.trials) return std::nullopt;
  return begin_trial(t, study, journal);
}

/// What is large in the folder of a trial that has ended.
void drop_large_files(const std::string& folder) {
  std::error_code ignored;
  for (const char* part : {"/checkpoints", "/overlays", "/nonfinite"}) fs::remove_all(folder + part, ignored);
}

/// Of trials whose process was killed after their last line.
void drop_what_was_left(const Tuning& t) {
  const JournalContent journal = read_journal(t.journal);
  const StudyRecord* study = journal.state.study(t.study);
  if (t.keep || !study) return;
  for (const Trial& trial : study->trials) {
    const std::string folder = trial_folder(t.out, trial.number);
    if (!trial.ended() || !is_ours(trial) || !fs::exists(folder + "/checkpoints")) continue;
    try {
      const tensor::FolderLock lock(folder);
      drop_large_files(folder);
    } catch (const tensor::FolderInUse&) {
      // Its own process is about to do the same.
    }
  }
}

/// One trial's way to its end.
class TrialWork {
 public:
  TrialWork(const Tuning& t, Taken taken, Progress& progress)
      : t_(t), taken_(std::move(taken)), progress_(progress), rules_(rules_in(t)) {}

  Work run(const std::function<bool()>& stop) {
    Config config = t_.base;
    for (const Dimension& d : t_.search.dimensions)
      set_config(config, d.name, d.text(taken_.trial.params.at(d.name)), "--search");
    resolve_config(config);
    apply_run_settings(config);
    auto data = t_.data ? t_.data : std::make_shared<const ExperimentData>(open_data(config));
    require_batches(config, *data);
    require_data(*data);
    taken_.run->begin(config, *data, fmt::format("cris tune, trial {} of {}", taken_.trial.number, t_.study));
    config.data.dir = taken_.run->data_dir();
    if (!train(config, *data, stop)) return Work::stopped;
    if (!t_.keep) drop_large_files(taken_.run->path());
    return Work::done;
  }

 private:
  const Tuning& t_;
  Taken taken_;
  Progress& progress_;
  StudyRules rules_;
  bool pruned_ = false;

  const StudyRecord& study_of(const JournalSession& journal) const {
    return *journal.state().study_of(taken_.trial.id);
  }
  const Trial& trial_of(const JournalSession& journal) const { return *journal.state().trial(taken_.trial.id); }

  /// All workers train on the same images.
  void require_data(const ExperimentData& data) {
    JournalSession journal(t_.journal);
    const JournalLine now = {{"files", data.hash}, {"split", data::split_hash(data.split)}};
    if (!study_of(journal).attributes.contains(kDataAttribute))
      journal.append({{{"op_code", kSetStudySystem},
                       {"study_id", study_of(journal).id},
                       {"system_attr", {{kDataAttribute, now}}}}});
    require_config(study_of(journal).attributes.at(kDataAttribute) == now.dump(),
                   "{}: the images or the split of the study {} are others than those of {}; give its --data, or "
                   "--name of another study",
                   t_.journal, t_.study, t_.base.data.dir);
  }

  /// False where the training was stopped.
  bool train(const Config& config, const ExperimentData& data, const std::function<bool()>& stop) {
    StepsOnly steps(progress_);
    bool finished = false;
    try {
      Trainer trainer(config, data, *taken_.run, steps);
      // A process that was killed wrote its checkpoint before its report.
      int64_t epoch = 0;
      for (const double dice : dice_of_epochs(taken_.run->path()))
        if (!pruned_) report(epoch++, dice);
      if (!pruned_) catch_up();
      if (!pruned_)
        finished =
            trainer.train({.stop = stop, .epoch_done = [&](int64_t epoch, double dice) { return report(epoch, dice); }})
                .finished;
    } catch (const NonFiniteError& e) {
      if (t_.keep) progress_.message(e.what());  // it names files that are dropped otherwise
      const JournalContent journal = read_journal(t_.journal);
      const auto& reported = journal.state.trial(taken_.trial.id)->intermediate;
      report(reported.empty() ? 0 : reported.rbegin()->first + 1, std::numeric_limits<double>::quiet_NaN());
    }
    if (finished && !pruned_) complete();
    return finished || pruned_;
  }

  JournalLine end_line(TrialState state, const JournalLine& values) const {
    return {{"op_code", kSetState},
            {"trial_id", taken_.trial.id},
            {"state", int(state)},
            {"values", values},
            {"datetime_complete", journal_time()}};
  }

  /// Writes the value and what follows from it together. False where the trial is pruned.
  bool report(int64_t step, double value) {
    JournalSession journal(t_.journal);
    Trial trial = trial_of(journal);
    tensor::require(trial.state == TrialState::running, "{}: another program ended trial {} of {} while it was trained",
                    t_.journal, trial.number, t_.study);
    if (trial.intermediate.contains(step)) return true;
    trial.intermediate[step] = value;
    pruned_ = decide_to_prune(rules_, study_of(journal), trial);
    std::vector<JournalLine> lines = {
        {{"op_code", kReport}, {"trial_id", taken_.trial.id}, {"step", step}, {"intermediate_value", value}}};
    if (pruned_) lines.push_back(end_line(TrialState::pruned, nullptr));
    journal.append(std::move(lines));
    if (pruned_) tell(study_of(journal), trial);
    return !pruned_;
  }

  /// A report may have reached the disk without what followed from it.
  void catch_up() {
    JournalSession journal(t_.journal);
    pruned_ = pruned_at_last_report(rules_, journal.content().lines, taken_.trial.id);
    if (!pruned_) return;
    journal.append({end_line(TrialState::pruned, nullptr)});
    tell(study_of(journal), trial_of(journal));
  }

  void complete() {
    JournalSession journal(t_.journal);
    journal.append({end_line(TrialState::complete, JournalLine::array({trial_of(journal).best_reported()}))});
    tell(study_of(journal), trial_of(journal));
  }

  void tell(const StudyRecord& study, const Trial& trial) {
    std::string settings;
    for (const Dimension& d : t_.search.dimensions)
      settings += fmt::format("  {} {}", d.name, short_value(d.text(trial.params.at(d.name))));
    std::string end;
    if (pruned_) {
      const auto& [epoch, last] = *trial.intermediate.rbegin();
      end = fmt::format("  pruned after epoch {}{}", epoch + 1, std::isnan(last) ? ", which was not finite" : "");
    }
    progress_.message(fmt::format("trial {}{}  Dice {:.4f}{}  ({} of {} trials)", trial.number, settings,
                                  trial.best_reported(), end, std::ranges::count_if(study.trials, &Trial::ended),
                                  t_.trials));
  }
};

}  // namespace

std::string trial_folder(const std::string& out, int64_t number) { return fmt::format("{}/trial-{:04}", out, number); }

std::vector<double> dice_of_epochs(const std::string& folder) {
  constexpr size_t kBestDice = 10;  // the column
  const std::string file = folder + "/epochs.csv";
  const Rows rows = read_epochs(file, true);
  std::vector<double> dice;
  for (size_t row = 0; row < rows.size(); ++row) dice.push_back(number(rows, row, kBestDice, file));
  return dice;
}

Work work_on_tuning(const Tuning& tuning, const std::function<bool()>& stop, Progress& progress) {
  tuning.search.check(tuning.base);
  drop_what_was_left(tuning);
  Work none = Work::nothing_left;
  std::optional<Taken> taken = take_trial(tuning, none);
  if (!taken) return none;
  return TrialWork(tuning, std::move(*taken), progress).run(stop);
}

TuningState state_of(const Tuning& tuning) { return state_of(tuning, read_journal(tuning.journal).state); }

TuningState state_of(const Tuning& tuning, const JournalState& journal) {
  const StudyRecord* study = journal.study(tuning.study);
  TuningState s;
  if (!study) return s;
  for (const auto& [count, state] : {std::pair{&s.complete, TrialState::complete},
                                     {&s.pruned, TrialState::pruned},
                                     {&s.running, TrialState::running}})
    *count = std::ranges::count(study->trials, state, &Trial::state);
  const Trial* best = nullptr;
  for (const Trial& t : study->trials)
    if (t.state == TrialState::complete && t.value && (!best || *t.value > *best->value)) best = &t;
  if (!best) return s;
  s.best = best->value;
  s.best_trial = best->number;
  for (const Dimension& d : tuning.search.dimensions)
    if (const auto at = best->params.find(d.name); at != best->params.end())
      s.best_settings[d.name] = d.text(at->second);
  return s;
}

}  // namespace cris
