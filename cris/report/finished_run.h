/// A finished run read back from its files, for pages and tables.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cris/report/statistics.h"
#include "cris/report/svg_chart.h"
#include "cris/run/config.h"
#include "cris/run/csv.h"
#include "cris/run/timing.h"

namespace cris {

struct RunFiles {
  std::string path;
  std::string label;  ///< its cell's, with several seeds "cris seed 2"
  Config config;
  nlohmann::ordered_json evaluation, manifest;
  Rows epochs, curves, images;
  Rows precision_recall;         ///< threshold, precision and recall of all test pixels
  Rows precision_recall_images;  ///< recall and precision, the mean over test images
  Timing timing;                 ///< nothing where timing.jsonl is gone
  std::string finished;          ///< the day of its last epoch, 2026-11-29; empty where log.txt is gone
};

/// Throws data::FormatError when `path` is not a finished run or a file of it is damaged.
RunFiles read_run(const std::string& path);
/// Columns x and y of rows that came from the file `path`. Throws data::FormatError naming it and the line.
Points points_of(const Rows& rows, size_t x, size_t y, const std::string& path);
/// Recall and precision, of all test pixels or the mean over test images.
Points precision_recall_of(const RunFiles& r, bool pooled);
/// What the refiner made of masks that are p everywhere (p = 0, 0.25, ..., 1) after each epoch, a line for each p; none
/// when metrics.jsonl does not say. Throws data::FormatError naming a damaged line.
std::vector<Series> refiner_response(const RunFiles& r);
/// The training loss of rows of epochs.csv, which is `file`: a line for each loss that an epoch trained.
std::vector<Series> training_losses(const Rows& epochs, const std::string& file);
/// In what the settings of two runs differ, but for those whose names begin so: "data.dir:", "run.".
std::vector<std::string> setting_differences(const RunFiles& a, const RunFiles& b, const std::vector<std::string>& but);
/// Dice of each image, in the file's order.
std::vector<double> dice_of_images(const RunFiles& r);
/// The same of several runs.
ImagesOfSeeds dice_of_images(const std::vector<RunFiles>& runs);
/// Those PNG files of a folder of the run whose names end so, in order; none when the folder is missing.
std::vector<std::string> pictures_of(const RunFiles& r, const std::string& folder, const std::string& end = ".png");

}  // namespace cris
