/// How good masks are: Dice, precision, recall and squared error, per image and pooled, over a grid of thresholds.
#pragma once
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace cris {

/// Pixels of one image (or of many, pooled) at one threshold.
struct Counts {
  int64_t true_positive = 0, false_positive = 0, false_negative = 0, true_negative = 0;
  Counts& operator+=(const Counts& o);
};
/// 2 TP / (2 TP + FP + FN); 1 when mask and prediction are both empty.
double dice(const Counts& c);
/// TP / (TP + FP). Without a predicted pixel: 1 when the mask is empty too, else 0.
double precision(const Counts& c);
/// TP / (TP + FN). Without a mask pixel: 1 when the prediction is empty too, else 0.
double recall(const Counts& c);
/// TP / (TP + FP + FN), the Jaccard index; 1 when mask and prediction are both empty.
double iou(const Counts& c);
/// TN / (TN + FP); 1 when the mask covers the picture.
double specificity(const Counts& c);
/// (1 + b^2) TP / ((1 + b^2) TP + b^2 FN + FP); 1 when mask and prediction are both empty. b = 1: Dice.
double f_beta(const Counts& c, double beta);
/// (FP + FN) / pixels: the mean squared error of the thresholded map.
double wrong_share(const Counts& c);

/// Thresholds 0, 0.01, ..., 1; a pixel is polyp when its probability p >= t.
constexpr int kThresholds = 101;
constexpr double threshold_at(int k) { return k / 100.0; }

struct ImageScore {
  std::string name;
  double dice, precision, recall;
  double mse;              ///< mean (p - g)^2 of the probability map
  double mse_thresholded;  ///< the same of the thresholded map: the share of wrong pixels
  int64_t mask_pixels, predicted_pixels, pixels;
};

/// Means over images, and the same from pooled pixels beside them.
struct MeanScores {
  double threshold = 0.5;
  int64_t images = 0;
  double dice = 0, precision = 0, recall = 0, mse = 0, mse_thresholded = 0;
  /// -mean of g ln p + (1 - g) ln(1 - p), each logarithm at least -100, as PyTorch's BCELoss has it.
  double cross_entropy = 0;
  double dice_pooled = 0, precision_pooled = 0, recall_pooled = 0;
};

struct CurvePoint {
  double threshold, precision, recall, dice;
};

/// Collects one probability map and mask after another, then answers for every threshold.
class Scores {
 public:
  /// probability: `pixels` values in [0, 1]; mask: 0 or 1. Throws Error on a probability outside [0, 1].
  void add(const std::string& name, const float* probability, const float* mask, int64_t pixels);
  int64_t images() const { return int64_t(images_.size()); }
  MeanScores summary(double threshold) const;
  std::vector<ImageScore> per_image(double threshold) const;
  /// The grid's threshold with the highest mean Dice over images; the lowest on ties.
  double best_threshold() const;
  /// Precision, recall and Dice at every threshold, from pooled pixels, or averaged over images.
  std::vector<CurvePoint> curve(bool pooled) const;
  /// PraNet's convention: every map stretched to [0, 1] by its own minimum and maximum, then the mean over images of
  /// the mean Dice over thresholds 0/255 .. 255/255.  Source: Fan et al., "PraNet", MICCAI 2020, evaluation code.
  double pranet_mean_dice() const;

  /// How long the network took for the maps: a measurement, which no other number depends on.
  double network_seconds = 0;

 private:
  struct Image {
    std::string name;
    // Pixels whose probability reaches exactly the first k thresholds, k = index + 1: mask pixels and others.
    std::array<int32_t, kThresholds> inside{}, outside{};
    double squared_error = 0, cross_entropy = 0, pranet_dice = 0;
    int64_t pixels = 0;
  };
  Counts counts(const Image& image, int k) const;
  std::vector<Image> images_;
};

/// The middle value; of an even count the mean of both in the middle; 0 of none.
double median(std::vector<double> values);

/// Mean and deviation, with 1 / (n - 1), of some values; 0 of none, and the deviation of one.
struct Spread {
  double mean = 0, deviation = 0;
};
Spread spread(const std::vector<double>& values);

}  // namespace cris
