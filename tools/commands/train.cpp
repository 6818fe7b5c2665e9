/// cris train: trains, resumes, and evaluates the best model at the end.
#include <fmt/format.h>

#include <memory>

#include "cris/study/complete_run.h"
#include "tools/commands/config_options.h"
#include "tools/commands/interrupt.h"
#include "tools/commands/next_step.h"

namespace tools {

namespace {

std::string default_directory(const cris::Config& c) {
  return fmt::format("runs/{}-{}-{}-seed{}", cris::data_name(c), name(c.model.backbone.kind), name(c.model.strategy),
                     c.train.seed);
}

Run setup_train(CLI::App& app) {
  struct Options {
    explicit Options(CLI::App& app) : config(app, ConfigOptions::kTraining) {}
    ConfigOptions config;
    std::string out, max_time;
    bool fast_dev_run = false, json = false;
  };
  auto o = std::make_shared<Options>(app);
  app.add_option("-o,--out", o->out,
                 "run directory; default runs/DATA-BACKBONE-STRATEGY-seedN. The same command resumes it")
      ->type_name("RUN")
      ->take_last();
  app.add_option("--max-time", o->max_time, "checkpoint and stop after this long (90s, 20m, 1.5h)")->type_name("TIME");
  app.add_flag("--fast-dev-run", o->fast_dev_run, "two batches of everything, to see that it runs");
  app.add_flag("--json", o->json, "a line of JSON an event on stdout: count, step, epoch, message, complete");
  add_example(app, "train --data data/kvasir-seg --base 16 --size 128 -o runs/kvasir");
  add_example(app, "train -c runs/kvasir/config.resolved.toml --seed 1 -o runs/kvasir-1");
  return [o] {
    cris::Config config = o->config.config();
    if (o->fast_dev_run) config.train.fast_dev_run = true;
    if (config.train.fast_dev_run) config.train.epochs = std::min<int64_t>(config.train.epochs, 2);
    const double max_seconds = seconds_from(o->max_time);
    const std::string out = o->out.empty() ? default_directory(config) : o->out;
    outlive_reader();
    cris::ConsoleProgress console(stderr);
    cris::JsonProgress events(stdout);
    cris::Progress& progress = o->json ? static_cast<cris::Progress&>(events) : console;
    const cris::CompleteRun run = cris::complete_run(config, out,
                                                     {.command = command_line(),
                                                      .train = {.stop = stop_requested, .max_seconds = max_seconds},
                                                      .begins = catch_signals,
                                                      .trained = [] { exit_on_signals(kStopped); }},
                                                     progress);
    if (!run.complete) return int(kStopped);
    if (o->json) {
      nlohmann::ordered_json line = {{"run", out}, {"best_epoch", run.result.best_epoch + 1}};
      if (run.evaluation) line["test"] = cris::summary_json(run.evaluation->chosen);
      events.event("complete", line);
      return int(kOk);
    }
    if (run.evaluation) fmt::print("{}\n", run.text);
    next_step("cris report {} -o report.html", cris::shell_word(out));
    return int(kOk);
  };
}

const Command train(30, "train", "train a model; the same command again resumes it", setup_train);

}  // namespace

}  // namespace tools
