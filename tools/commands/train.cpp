/// cris train: trains, resumes, and evaluates the best model at the end.
#include <fmt/format.h>

#include <memory>

#include "cris/study/complete_run.h"
#include "tools/commands/config_options.h"
#include "tools/commands/interrupt.h"

namespace tools {

namespace {

std::string default_directory(const cris::Config& c) {
  return fmt::format("runs/{}-{}-{}-seed{}", cris::data_name(c), name(c.model.backbone.kind), name(c.model.strategy),
                     c.train.seed);
}

Run setup_train(CLI::App& app) {
  struct Options {
    explicit Options(CLI::App& app) : config(app) {}
    ConfigOptions config;
    std::string out, max_time;
    bool fast_dev_run = false;
  };
  auto o = std::make_shared<Options>(app);
  app.add_option("-o,--out", o->out,
                 "run directory; default runs/DATA-BACKBONE-STRATEGY-seedN. The same command resumes it")
      ->take_last();
  app.add_option("--max-time", o->max_time, "checkpoint and stop after this long (90s, 20m, 1.5h)");
  app.add_flag("--fast-dev-run", o->fast_dev_run, "two batches of everything, to see that it runs");
  return [o] {
    cris::Config config = o->config.config();
    if (o->fast_dev_run) config.train.fast_dev_run = true;
    if (config.train.fast_dev_run) config.train.epochs = std::min<int64_t>(config.train.epochs, 2);
    const double max_seconds = seconds_from(o->max_time);
    const std::string out = o->out.empty() ? default_directory(config) : o->out;
    outlive_reader();
    cris::ConsoleProgress progress(stdout);
    const cris::CompleteRun run = cris::complete_run(config, out,
                                                     {.command = command_line(),
                                                      .train = {.stop = stop_requested, .max_seconds = max_seconds},
                                                      .begins = catch_signals,
                                                      .trained = [] { exit_on_signals(kStopped); }},
                                                     progress);
    return int(run.complete ? kOk : kStopped);
  };
}

const Command train(30, "train", "train a model; the same command again resumes it", setup_train);

}  // namespace

}  // namespace tools
