/// Metrics from histograms: each image keeps 101 counts, so that any threshold is answered without its pixels.
#include "cris/metrics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/check.h"

namespace cris {

Counts& Counts::operator+=(const Counts& o) {
  true_positive += o.true_positive, false_positive += o.false_positive;
  false_negative += o.false_negative, true_negative += o.true_negative;
  return *this;
}

// Equation 6; without any polyp, found or drawn, 1.
double dice(const Counts& c) {
  const int64_t all = 2 * c.true_positive + c.false_positive + c.false_negative;
  return all == 0 ? 1 : 2.0 * double(c.true_positive) / double(all);
}

// Equation 4
double precision(const Counts& c) {
  const int64_t predicted = c.true_positive + c.false_positive;
  if (predicted == 0) return c.false_negative == 0 ? 1 : 0;
  return double(c.true_positive) / double(predicted);
}

// Equation 5
double recall(const Counts& c) {
  const int64_t wanted = c.true_positive + c.false_negative;
  if (wanted == 0) return c.false_positive == 0 ? 1 : 0;
  return double(c.true_positive) / double(wanted);
}

double iou(const Counts& c) {
  const int64_t all = c.true_positive + c.false_positive + c.false_negative;
  return all == 0 ? 1 : double(c.true_positive) / double(all);
}

double specificity(const Counts& c) {
  const int64_t background = c.true_negative + c.false_positive;
  return background == 0 ? 1 : double(c.true_negative) / double(background);
}

double f_beta(const Counts& c, double beta) {
  const double hits = (1 + beta * beta) * double(c.true_positive);
  const double all = hits + beta * beta * double(c.false_negative) + double(c.false_positive);
  return all == 0 ? 1 : hits / all;
}

double wrong_share(const Counts& c) {
  const int64_t all = c.true_positive + c.true_negative + c.false_positive + c.false_negative;
  return all == 0 ? 0 : double(c.false_positive + c.false_negative) / double(all);
}

namespace {

/// The number of grid thresholds that p reaches: rounding in p * 100 is undone, so that p >= k/100 holds exactly.
int reached(double p) {
  int k = std::clamp(int(p * 100), 0, kThresholds - 1);
  while (k + 1 < kThresholds && p >= threshold_at(k + 1)) ++k;
  while (k > 0 && p < threshold_at(k)) --k;
  return k + 1;
}

int grid_index(double threshold) {
  const int k = int(std::lround(threshold * 100));
  tensor::check(k >= 0 && k < kThresholds && std::abs(threshold_at(k) - threshold) < 1e-9,
                "metrics: threshold {} is not on the grid 0, 0.01, ..., 1", threshold);
  return k;
}

double pranet_dice(const float* p, const float* mask, int64_t pixels) {
  const auto [low, high] = std::minmax_element(p, p + pixels);
  const double range = double(*high) - double(*low);
  std::array<int64_t, 256> inside{}, outside{};
  for (int64_t i = 0; i < pixels; ++i) {
    const double stretched = range > 0 ? (double(p[i]) - double(*low)) / range : 0;
    ++(mask[i] >= 0.5f ? inside : outside)[size_t(stretched * 255)];
  }
  int64_t mask_pixels = 0;
  for (const int64_t n : inside) mask_pixels += n;
  double total = 0;
  Counts c;
  for (int k = 255; k >= 0; --k) {
    c.true_positive += inside[size_t(k)], c.false_positive += outside[size_t(k)];
    c.false_negative = mask_pixels - c.true_positive;
    total += dice(c);
  }
  return total / 256;
}

}  // namespace

void Scores::add(const std::string& name, const float* probability, const float* mask, int64_t pixels) {
  Image image;
  image.name = name;
  image.pixels = pixels;
  for (int64_t i = 0; i < pixels; ++i) {
    const double p = probability[i];
    tensor::check(p >= 0 && p <= 1, "metrics: {} has the probability {} at pixel {}", name, p, i);
    const bool polyp = mask[i] >= 0.5f;
    ++(polyp ? image.inside : image.outside)[size_t(reached(p) - 1)];
    const double error = p - (polyp ? 1 : 0);
    image.squared_error += error * error;
    image.cross_entropy -= std::max(std::log(polyp ? p : 1 - p), -100.0);
  }
  image.pranet_dice = pixels ? pranet_dice(probability, mask, pixels) : 1;
  images_.push_back(std::move(image));
}

Counts Scores::counts(const Image& image, int k) const {
  Counts c;
  for (int j = 0; j < kThresholds; ++j) {
    const int32_t in = image.inside[size_t(j)], out = image.outside[size_t(j)];
    (j >= k ? c.true_positive : c.false_negative) += in;
    (j >= k ? c.false_positive : c.true_negative) += out;
  }
  return c;
}

std::vector<ImageScore> Scores::per_image(double threshold) const {
  const int k = grid_index(threshold);
  std::vector<ImageScore> scores;
  for (const Image& image : images_) {
    const Counts c = counts(image, k);
    scores.push_back({.name = image.name,
                      .dice = dice(c),
                      .precision = precision(c),
                      .recall = recall(c),
                      .mse = image.squared_error / double(image.pixels),
                      .mse_thresholded = wrong_share(c),
                      .mask_pixels = c.true_positive + c.false_negative,
                      .predicted_pixels = c.true_positive + c.false_positive,
                      .pixels = image.pixels});
  }
  return scores;
}

MeanScores Scores::summary(double threshold) const {
  MeanScores s{.threshold = threshold, .images = images()};
  if (images_.empty()) return s;
  for (const ImageScore& i : per_image(threshold)) {
    s.dice += i.dice, s.precision += i.precision, s.recall += i.recall;
    s.mse += i.mse, s.mse_thresholded += i.mse_thresholded;
  }
  for (double* mean : {&s.dice, &s.precision, &s.recall, &s.mse, &s.mse_thresholded}) *mean /= double(images());
  for (const Image& image : images_) s.cross_entropy += image.cross_entropy / double(image.pixels) / double(images());
  Counts pooled;
  for (const Image& image : images_) pooled += counts(image, grid_index(threshold));
  s.dice_pooled = dice(pooled), s.precision_pooled = precision(pooled), s.recall_pooled = recall(pooled);
  return s;
}

std::vector<CurvePoint> Scores::curve(bool pooled) const {
  std::vector<CurvePoint> points;
  for (int k = 0; k < kThresholds; ++k) {
    CurvePoint point{threshold_at(k), 0, 0, 0};
    Counts all;
    for (const Image& image : images_) {
      const Counts c = counts(image, k);
      all += c;
      point.precision += precision(c), point.recall += recall(c), point.dice += dice(c);
    }
    const double n = double(std::max<int64_t>(images(), 1));
    point.precision /= n, point.recall /= n, point.dice /= n;
    if (pooled) point.precision = precision(all), point.recall = recall(all), point.dice = dice(all);
    points.push_back(point);
  }
  return points;
}

double Scores::best_threshold() const {
  CurvePoint best{0.5, 0, 0, -1};
  for (const CurvePoint& p : curve(false))
    if (p.dice > best.dice) best = p;
  return best.threshold;
}

double Scores::pranet_mean_dice() const {
  double total = 0;
  for (const Image& image : images_) total += image.pranet_dice;
  return images_.empty() ? 0 : total / double(images());
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::ranges::sort(values);
  const size_t n = values.size();
  return (values[(n - 1) / 2] + values[n / 2]) / 2;
}

Spread spread(const std::vector<double>& values) {
  if (values.empty()) return {};
  const auto n = double(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  for (const double v : values) squares += (v - mean) * (v - mean);
  return {mean, values.size() > 1 ? std::sqrt(squares / (n - 1)) : 0};
}

}  // namespace cris
