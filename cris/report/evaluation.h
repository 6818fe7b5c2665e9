/// The end of a run: every metric and convention of one part of the data, as files in a folder.
#pragma once
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "cris/measures/measures.h"
#include "cris/run/experiment.h"
#include "cris/run/progress.h"

namespace cris {

/// The model of a run with its best checkpoint, in evaluation mode. Throws Error when the file is damaged or of another
/// model, and NonFiniteError when a weight is not finite.
std::unique_ptr<Model> load_model(const std::string& run, const Config& config, const std::string& checkpoint = "best");

struct Evaluation {
  std::string part;                   ///< train, validation, test or all
  MeanScores chosen = {}, half = {};  ///< at the threshold that maximises Dice on the training set, and at 0.5
  double pranet_dice = 0;             ///< Scores::pranet_mean_dice
  ScoreSize size = ScoreSize::network;
  Scores scores = {};
  MeasureSet measures{0.5};  ///< all that is measured, at the chosen threshold
};

struct EvaluationOptions {
  int64_t overlays = 20;
  std::string maps = {};                 ///< when named: a folder for NAME.npy, the scored map, and NAME_mask.npy
  std::optional<double> threshold = {};  ///< nothing: the one that maximises Dice on the training set
  Progress* progress = nullptr;          ///< told of each image that is scored
};

/// Chooses the threshold, then scores `part`: train, validation, test, or all of a set that open_whole opened. Writes
/// into `folder`: evaluation.json, per_image.csv, curves.csv, precision_recall.csv, precision_recall_images.csv,
/// plots/{pr_pooled,pr_images,threshold,training}.svg, and up to `overlays` overlays/*.png (cris/report/examples.h):
/// image, mask, probability map and overlay beside each other. The part's first images give
/// maps/*_{image,mask,probability}.png and, for strategy crf, film/*.png (cris/report/crf_filmstrip.h). epochs.csv, if
/// the folder has one, gives plots/training.svg. Throws NonFiniteError, and data::FormatError for files that cannot be
/// read or written.
Evaluation evaluate_run(Model& model, const Config& config, const ExperimentData& data, const std::string& part,
                        const std::string& folder, const EvaluationOptions& options = {});

/// The threshold that was chosen on the run's training set; 0.5 for a run that was not evaluated yet. Throws
/// data::FormatError when its evaluation.json is damaged.
double chosen_threshold(const std::string& run);
/// {dice, dice_pooled, precision, precision_pooled, recall, recall_pooled, mse, mse_thresholded, threshold, images}
nlohmann::ordered_json summary_json(const MeanScores& s);
/// A table for people of both thresholds.
std::string summary_table(const Evaluation& e);

}  // namespace cris
