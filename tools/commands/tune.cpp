/// cris tune: searches settings by TPE with median pruning, any number of processes at once.
#include <fmt/ranges.h>

#include <filesystem>
#include <memory>

#include "cris/run/memory_plan.h"
#include "cris/run/outputs.h"
#include "cris/study/plan.h"
#include "cris/study/replay.h"
#include "cris/study/tune.h"
#include "tools/commands/config_options.h"
#include "tools/commands/interrupt.h"
#include "tools/commands/next_step.h"

namespace tools {

namespace {

struct TuneOptions {
  explicit TuneOptions(CLI::App& app) : config(app, ConfigOptions::kTraining) {}
  ConfigOptions config;
  std::string journal, name, out, replayed, replayed_study, replayed_out;
  std::vector<std::string> search = {"train.learning_rate=1e-6..1e-2:log"};
  int64_t trials = 20;
  cris::MedianPruner pruner;
  bool keep = false;
};

int replay(const TuneOptions& o) {
  if (!std::filesystem::exists(o.replayed))
    throw Failure(kUsage, "{}: there is no such journal; give the --study of a cris tune", o.replayed);
  const cris::JournalContent journal = cris::read_journal(o.replayed);
  const std::vector<std::string> names = journal.state.study_names();
  const std::string listed = fmt::format("{}", fmt::join(names, ", "));
  if (!o.replayed_study.empty() && !journal.state.study(o.replayed_study))
    throw Failure(kUsage, "{}: has no study {}; it has: {}", o.replayed, o.replayed_study, listed);
  cris::JournalReplay r = cris::replay_journal(journal, o.replayed_study);
  if (!o.replayed_out.empty()) {
    if (o.replayed_study.empty() && names.size() != 1)
      throw Failure(kUsage, "{}: -o is the folder of one study; give its --name: {}", o.replayed, listed);
    const std::string& study = o.replayed_study.empty() ? names.front() : o.replayed_study;
    for (const std::string& d : cris::compare_with_runs(*journal.state.study(study), o.replayed_out))
      r.differences.push_back(d);
  }
  for (const std::string& d : r.differences) fmt::print("{}\n", d);
  fmt::print("{}: {} suggestions, {} pruning decisions and {} values recomputed; {} differ{}\n", o.replayed,
             r.suggestions, r.prunings, r.values, r.differences.size(),
             r.others == 0 ? "" : fmt::format("; {} trials of other programs left out", r.others));
  return r.differences.empty() ? kOk : kVerification;
}

int tune(const TuneOptions& o) {
  if (o.journal.empty()) throw Failure(kUsage, "tune: give the file in which the study is recorded, --study FILE");
  if (o.out.empty()) throw Failure(kUsage, "tune: give the folder of the trials' runs, -o DIR");
  cris::Tuning t{.base = o.config.config(), .journal = o.journal, .study = o.name, .out = o.out, .search = {}};
  t.search = cris::SearchSpace::parse(o.search);
  t.trials = o.trials;
  t.seed = uint64_t(t.base.train.seed);
  t.pruner = o.pruner;
  t.keep = o.keep;
  if (t.study.empty())
    t.study =
        fmt::format("{}/{}/{}", cris::data_name(t.base), name(t.base.model.backbone.kind), name(t.base.model.strategy));
  t.search.check(t.base);
  cris::apply_run_settings(t.base);
  auto data = std::make_shared<const cris::ExperimentData>(cris::open_data(t.base));
  cris::require_batches(t.base, *data);
  cris::require_memory(t.base, data->training->size());
  cris::check_place(t.out), cris::check_place(t.journal);
  outlive_reader();
  cris::ConsoleProgress progress(stderr);
  for (const std::string& note : cris::decode_all(*data, int(t.base.run.threads), &progress)) progress.message(note);
  t.data = data;
  catch_signals();
  cris::Work work;
  do {
    work = cris::with_memory_advice(t.base, cris::Purpose::train,
                                    [&] { return cris::work_on_tuning(t, stop_requested, progress); });
  } while (work == cris::Work::done && !stop_requested());
  const cris::TuningState s = cris::state_of(t);
  progress.end();
  fmt::print("{}: {} complete, {} pruned, {} running of {} trials\n", t.study, s.complete, s.pruned, s.running,
             t.trials);
  if (work == cris::Work::stopped || work == cris::Work::done) return kStopped;
  if (work == cris::Work::busy)
    fmt::print("other workers have the last trials; the same command shows the end, and takes over what they leave\n");
  if (!s.best) {
    fmt::print("no trial is complete, so none is the best; search a range in which trainings stay finite\n");
    return kOk;
  }
  std::string settings;
  for (const auto& [key, value] : s.best_settings) settings += fmt::format("  {} {}", key, value);
  fmt::print("best: trial {}{}  Dice {:.4f}\n", s.best_trial, settings, *s.best);
  next_step("cris train -c {0}/trial-{1:04}/config.resolved.toml -o {0}/best", cris::shell_word(t.out), s.best_trial);
  return kOk;
}

Run setup_tune(CLI::App& app) {
  auto o = std::make_shared<TuneOptions>(app);
  CLI::App* replaying = app.add_subcommand("replay", "recompute every suggestion and pruning decision of a journal");
  replaying->add_option("JOURNAL", o->replayed, "the journal file")->required();
  replaying->add_option("--name", o->replayed_study, "only this study");
  replaying->add_option("-o,--out", o->replayed_out, "compare what it reported with the runs in this folder, too")
      ->type_name("DIR");
  app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::TakeLast);
  app.add_option("--study", o->journal,
                 "journal file (Optuna's) that records the study, made where it is missing [needed]")
      ->type_name("FILE");
  app.add_option("--name", o->name, "the study's name in it; default DATA/BACKBONE/STRATEGY");
  app.add_option("--trials", o->trials, "complete and pruned trials that the study shall have")
      ->check(CLI::Range(int64_t(1), cris::kMostTrials));
  add_repeatable(app, "--search", o->search, "KEY=LOW..HIGH, KEY=LOW..HIGH:log or KEY=A,B,C; may be repeated")
      ->default_str(o->search.front());
  const auto count = CLI::Range(int64_t(0), int64_t(1000000));
  app.add_option("--prune-after-trials", o->pruner.startup_trials, "nothing is pruned before as many are complete")
      ->check(count);
  app.add_option("--prune-after-epochs", o->pruner.warmup_steps, "a trial's first epochs, which never end it")
      ->check(count);
  app.add_option("--prune-every", o->pruner.interval_steps, "the median is asked every so many epochs")
      ->check(CLI::Range(int64_t(1), int64_t(1000000)));
  app.add_option("-o,--out", o->out, "folder of the trials' runs; workers of one study share it [needed]")
      ->type_name("DIR");
  app.add_flag("--keep", o->keep, "keep checkpoints of ended trials");
  add_example(*replaying, "tune replay tune.journal -o tuning");
  add_example(app, "tune --data data/kvasir-seg --study tune.journal --trials 20 -o tuning");
  return [o, replaying] { return replaying->parsed() ? replay(*o) : tune(*o); };
}

const Command tuning(35, "tune", "search settings by TPE with median pruning; run it several times for more workers",
                     setup_tune);

}  // namespace

}  // namespace tools
