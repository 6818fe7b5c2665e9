/// All measures of probability maps against masks, image by image and together, at one threshold.
///
/// docs/reference/metrics.md has the formula, the edge cases and the source of each.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cris/measures/calibration.h"
#include "cris/measures/lesions.h"
#include "cris/measures/precision_recall.h"
#include "cris/metrics.h"

namespace cris {

struct ImageMeasures {
  std::string name;
  int64_t height = 0, width = 0;
  Counts counts = {};
  LesionCounts lesions = {};
  double mse = 0;  ///< mean (p - g)^2
  double hd95 = 0, assd = 0, boundary_f = 0, s_measure = 0, e_measure = 0, weighted_f = 0;
  double average_precision = 0;  ///< 0 without a polyp; such images do not count in its mean
};

/// One measure: how files, tables and pages name it, and how it is read.
struct Measure {
  const char *key, *title;
  double (*of)(const ImageMeasures&);
};
/// Dice first; the order of every table and file.
const std::vector<Measure>& image_measures();

/// What measuring one image gives.
struct Measured {
  ImageMeasures image = {};
  std::vector<double> precision = {};  ///< at recall 0.01, 0.02, ..., 1; empty without a polyp
  BinaryMap truth = {};
};
/// See MeasureSet::add. Any thread may call it.
Measured measure(const std::string& name, const float* probability, const float* mask, int64_t height, int64_t width,
                 double threshold);

class MeasureSet {
 public:
  explicit MeasureSet(double threshold) : threshold_(threshold) {}
  /// probability: height x width values, row-major, in [0, 1]; mask: polyp where at least one half. Throws Error on a
  /// probability that is not finite or outside [0, 1].
  void add(const std::string& name, const float* probability, const float* mask, int64_t height, int64_t width);
  /// The same of an image that was measured at this threshold.
  void add(const Measured& measured, const float* probability);
  double threshold() const { return threshold_; }
  const std::vector<ImageMeasures>& images() const { return images_; }
  /// {threshold, images, mean: {...}, pooled: {...}, lesions: {...}, by_size: {...}, calibration: [...]}. Without an
  /// image that shows a polyp mean and pooled have no average_precision.
  nlohmann::ordered_json json() const;
  /// name, then a column for each measure, pixels of mask, prediction and picture, lesions, found, false positives.
  std::string csv() const;
  /// Of all pixels together. Sorts them once.
  const std::vector<PrecisionRecallPoint>& curve() const;
  /// Precision at recall 0.01, 0.02, ..., 1: the mean over images with a polyp.
  std::vector<double> mean_precision() const;

 private:
  double threshold_;
  std::vector<ImageMeasures> images_;
  PrecisionRecall pixels_;
  mutable std::vector<PrecisionRecallPoint> curve_;
  Calibration calibration_;
  std::vector<double> precision_sums_ = std::vector<double>(100);  // over images with a polyp
};

/// Thirds of the images by size of the polyp are not comparable between data sets; these shares of the picture are.
struct SizeClass {
  const char* name;
  double least, below;  ///< mask pixels / pixels
};
constexpr SizeClass kSizeClasses[] = {{"small", 0, 0.05}, {"medium", 0.05, 0.15}, {"large", 0.15, 1.1}};

}  // namespace cris
