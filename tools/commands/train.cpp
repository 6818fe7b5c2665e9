/// cris train: trains, resumes, and evaluates the best model at the end.
#include <fmt/format.h>

#include <csignal>
#include <filesystem>
#include <memory>

#include "cris/report/evaluation.h"
#include "cris/run/memory_plan.h"
#include "cris/run/outputs.h"
#include "cris/run/trainer.h"
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
    cris::apply_run_settings(config);
    const cris::ExperimentData data = cris::open_data(config);
    cris::require_batches(config, data);
    cris::require_memory(config, data.training->size());
    const std::string out = o->out.empty() ? default_directory(config) : o->out;
    outlive_reader();
    cris::ConsoleProgress progress(stdout);
    if (config.model.strategy == cris::Strategy::cris && !config.cris.weighted_sum &&
        config.cris.alternate == cris::Alternate::epoch && config.train.epochs % 2 == 1)
      progress.message(
          fmt::format("note: {} epochs leave cris with one more epoch of MSE than of BCE; an even number is advised",
                      config.train.epochs));
    cris::check_place(out);
    if (!std::filesystem::exists(out + "/manifest.json")) {
      progress.message(
          fmt::format("decoding {} images", data.training->size() + data.validation->size() + data.test->size()));
      for (const std::string& note : cris::decode_all(data, int(config.run.threads))) progress.message(note);
    }
    cris::RunDirectory run(out);
    run.begin(config, data, command_line());
    config.data.dir = run.data_dir();
    if (run.has("SHA256SUMS")) {
      progress.message(fmt::format("{} is complete; cris eval {} prints its numbers", out, out));
      return int(kOk);
    }
    progress.message(fmt::format("{}: {} {} on {} training, {} validation, {} test images", out,
                                 name(config.model.backbone.kind), name(config.model.strategy),
                                 data.split.training.size(), data.split.validation.size(), data.split.test.size()));
    catch_signals();
    const cris::TrainResult result = cris::with_memory_advice(config, cris::Purpose::train, [&] {
      cris::Trainer trainer(config, data, run, progress);
      return trainer.train({.stop = stop_requested, .max_seconds = max_seconds});
    });
    // The last epoch is in the checkpoint by now; what follows is repeated whole.
    exit_on_signals(kStopped);
    if (!result.finished || stop_requested()) return int(kStopped);
    const cris::Evaluation e = cris::with_memory_advice(config, cris::Purpose::predict, [&] {
      const auto model = cris::load_model(out, config);
      return cris::evaluate_run(*model, config, data, "test", out);
    });
    run.seal();
    const bool by_l1 =
        !cris::mixed(config.model.strategy, config.cris) &&
        cris::loss_of(config.model.strategy, config.cris, {.epoch = result.best_epoch}) == cris::Loss::mask_mse;
    progress.message(fmt::format("{} epoch {}{}, best validation Dice {:.4f}\n{}\n{}",
                                 config.train.keep == cris::Keep::last ? "last" : "best", result.best_epoch + 1,
                                 by_l1 ? " (of L1)" : "", result.best_dice, cris::summary_table(e), out));
    return int(kOk);
  };
}

const Command train(30, "train", "train a model; the same command again resumes it", setup_train);

}  // namespace

}  // namespace tools
