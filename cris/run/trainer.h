/// Trains a model in a run directory, so that a run killed at any step and started again ends with the same bytes.
#pragma once
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cris/metrics.h"
#include "cris/run/experiment.h"
#include "cris/run/progress.h"
#include "cris/run/replayed_step.h"
#include "cris/run/run_directory.h"

namespace cris {

struct TrainOptions {
  /// Asked after every step and validated image; true: checkpoint and return.
  std::function<bool()> stop = [] { return false; };
  double max_seconds = 0;  ///< the same after this long; 0: never
  /// Told of each epoch's validation Dice at its best threshold (a tuner); false ends the training there.
  std::function<bool(int64_t epoch, double dice)> epoch_done = [](int64_t, double) { return true; };
};

struct TrainResult {
  bool finished = false;  ///< false: stopped early; the same command goes on
  int64_t epochs = 0, best_epoch = -1;
  double best_dice = -1;  ///< on the validation set, over the thresholds of the grid
};

class Trainer {
 public:
  /// Goes on from run/checkpoints/last.safetensors if it is there, else starts.
  Trainer(const Config& config, const ExperimentData& data, RunDirectory& run, Progress& progress);
  /// Trains until train.epochs, early stopping, or options.stop. Throws NonFiniteError, data::FormatError.
  TrainResult train(const TrainOptions& options = {});

 private:
  /// Where the run is; all of it is in the checkpoint.
  struct Position {
    int64_t epoch = 0, step = 0;  ///< the next step to take
    /// For each loss, over this epoch's steps so far: the sum of the losses, weighted by images, and the images.
    std::map<Loss, std::pair<double, int64_t>> losses = {};
    int64_t best_epoch = -1, epochs_without_gain = 0;
    double best_dice = -1;
    bool stopped_early = false;
    int64_t metrics_bytes = 0, epochs_bytes = 0;  ///< lengths of the growing files
    std::string metrics_sha256 = {}, epochs_sha256 = {};
  };

  Config config_;
  const ExperimentData& data_;
  RunDirectory& run_;
  Progress& progress_;
  std::unique_ptr<Model> model_;
  std::unique_ptr<nn::Optimizer> optimizer_;
  ReplayedStep step_;
  data::Loader loader_;
  AppendOnlyFile metrics_, epochs_, timing_, log_;
  Position at_;
  double network_ms_ = 0;            ///< for an image of the last validation
  bool has_validation_loss_ = true;  ///< epochs.csv has its column
  bool said_refusal_ = false, said_response_ = false, said_heading_ = false;

  void restore();
  void save_last();
  /// The rate of the next step.
  double learning_rate() const;
  /// The steps of a batch, each with its loss.
  std::vector<std::pair<Loss, double>> take_steps(const data::Batch& batch, const std::function<void()>& meanwhile);
  /// Validates, writes the epoch's lines and checkpoints; returns the Dice at its best threshold, which ranks epochs,
  /// or nothing if `stop` ended the validation, which then is repeated.
  std::optional<double> end_epoch(const std::function<bool()>& stop);
  /// Says once when the refiner's output falls where its mask rises, or does not depend on it.
  void watch_refiner(const std::vector<double>& response);
  void say(const std::string& text);
};

}  // namespace cris
