/// The steps of `cris train`, for every command that trains.
#include "cris/study/complete_run.h"

#include <filesystem>

#include "cris/run/memory_plan.h"
#include "cris/run/outputs.h"
#include "tensor/check.h"

namespace cris {

bool is_complete_run(const std::string& out) { return std::filesystem::exists(out + "/SHA256SUMS"); }

CompleteRun complete_run(Config config, const std::string& out, const CompleteRunOptions& options, Progress& progress) {
  apply_run_settings(config);
  const ExperimentData data = open_data(config);
  require_batches(config, data);
  require_memory(config, data.training->size());
  if (config.model.strategy == Strategy::cris && !config.cris.weighted_sum &&
      config.cris.alternate == Alternate::epoch && config.train.epochs % 2 == 1)
    progress.message(
        fmt::format("note: {} epochs leave cris with one more epoch of MSE than of BCE; an even number is advised",
                    config.train.epochs));
  check_place(out);
  if (!std::filesystem::exists(out + "/manifest.json")) {
    for (const std::string& note : decode_all(data, int(config.run.threads), &progress)) progress.message(note);
  }
  if (!std::filesystem::exists(out + "/manifest.json") && !config.train.start_from.empty()) {
    Model trial(model_options(config));  // weights that do not fit are refused before anything is written
    begin_from(trial, config);
  }
  RunDirectory run(out);
  run.begin(config, data, options.command);
  config.data.dir = run.data_dir();
  if (is_complete_run(out)) {
    progress.message(fmt::format("{} is complete", out));
    return {.complete = true};
  }
  const auto log = [&](const std::string& text) { AppendOnlyFile(run.file("log.txt")).append(log_line(text)); };
  log(options.command);
  progress.message(fmt::format("{}: {} {} on {} training, {} validation, {} test images", out,
                               name(config.model.backbone.kind), name(config.model.strategy),
                               data.split.training.size(), data.split.validation.size(), data.split.test.size()));
  options.begins();
  CompleteRun end;
  try {
    end.result = with_memory_advice(config, Purpose::train, [&] {
      Trainer trainer(config, data, run, progress);
      return trainer.train(options.train);
    });
    options.trained();
    if (!end.result.finished || options.train.stop()) return end;
    progress.message("evaluating the model that is kept");
    end.evaluation = with_memory_advice(config, Purpose::predict, [&] {
      const auto model = load_model(out, config);
      return evaluate_run(*model, config, data, "test", out, {.progress = &progress});
    });
  } catch (const std::exception& e) {
    try {
      log(std::string("error: ") + e.what());
    } catch (const tensor::Error&) {  // the disk is full, say: the first error is the one to tell
    }
    throw;
  }
  run.seal();
  end.complete = true;
  const bool by_l1 = !mixed(config.model.strategy, config.cris) &&
                     loss_of(config.model.strategy, config.cris, {.epoch = end.result.best_epoch}) == Loss::mask_mse;
  end.text = fmt::format("{} epoch {}{}, best validation Dice {:.4f}\n{}\nrun: {}",
                         config.train.keep == Keep::last ? "last" : "best", end.result.best_epoch + 1,
                         by_l1 ? " (trained by mse)" : "", end.result.best_dice, summary_table(*end.evaluation), out);
  log(end.text);
  return end;
}

}  // namespace cris
