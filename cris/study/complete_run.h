/// A run from its configuration to its sealed directory: training, evaluation on the test set, hashes.
#pragma once
#include <functional>
#include <optional>
#include <string>

#include "cris/report/evaluation.h"
#include "cris/run/trainer.h"

namespace cris {

struct CompleteRunOptions {
  std::string command;  ///< of the manifest
  TrainOptions train = {};
  /// Called before the first step, and once the last epoch is in the checkpoint: what follows is repeated whole by the
  /// next start.
  std::function<void()> begins = [] {}, trained = [] {};
};

struct CompleteRun {
  bool complete = false;  ///< false: stopped after a checkpoint; the same call goes on
  TrainResult result = {};
  std::optional<Evaluation> evaluation = {};  ///< nothing where the run was complete before
  std::string text = {};                      ///< its results, for people
};

/// Goes on with the run in the directory `out`, or begins it, and takes it to its end unless options.train.stop() says
/// so. Threads and precision of the process are set as the configuration says. Throws ConfigError, data::FormatError,
/// NonFiniteError; tensor::FolderInUse when another process is working on that run.
CompleteRun complete_run(Config config, const std::string& out, const CompleteRunOptions& options, Progress& progress);

/// Whether `out` is a complete run.
bool is_complete_run(const std::string& out);

}  // namespace cris
