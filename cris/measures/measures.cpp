#include "cris/measures/measures.h"

#include <fmt/format.h>

#include <algorithm>

#include "cris/measures/structure.h"
#include "cris/measures/surface.h"
#include "data/files.h"
#include "tensor/check.h"

namespace cris {

namespace {

using Json = nlohmann::ordered_json;

int64_t mask_pixels(const ImageMeasures& i) { return i.counts.true_positive + i.counts.false_negative; }
int64_t predicted_pixels(const ImageMeasures& i) { return i.counts.true_positive + i.counts.false_positive; }
int64_t pixels(const ImageMeasures& i) { return i.height * i.width; }

/// Whether the image counts in the mean of that measure.
bool counts_in_mean(const Measure& measure, const ImageMeasures& image) {
  return std::string_view(measure.key) != "average_precision" || mask_pixels(image) > 0;
}

/// Without a measure that counts for none of the images.
Json means(const std::vector<ImageMeasures>& images) {
  Json json = Json::object();
  for (const Measure& m : image_measures()) {
    double sum = 0;
    int64_t count = 0;
    for (const ImageMeasures& i : images)
      if (counts_in_mean(m, i)) sum += m.of(i), ++count;
    if (count > 0) json[m.key] = sum / double(count);
  }
  return json;
}

}  // namespace

const std::vector<Measure>& image_measures() {
  using I = ImageMeasures;
  static const std::vector<Measure> table = {
      {"dice", "Dice", [](const I& i) { return dice(i.counts); }},
      {"precision", "precision", [](const I& i) { return precision(i.counts); }},
      {"recall", "recall", [](const I& i) { return recall(i.counts); }},
      {"mse", "MSE", [](const I& i) { return i.mse; }},
      {"mse_thresholded", "MSE of masks", [](const I& i) { return wrong_share(i.counts); }},
      {"iou", "IoU", [](const I& i) { return iou(i.counts); }},
      {"specificity", "specificity", [](const I& i) { return specificity(i.counts); }},
      {"f2", "F2", [](const I& i) { return f_beta(i.counts, 2); }},
      {"hd95", "HD95 in pixels", [](const I& i) { return i.hd95; }},
      {"assd", "ASSD in pixels", [](const I& i) { return i.assd; }},
      {"boundary_f", "boundary F", [](const I& i) { return i.boundary_f; }},
      {"s_measure", "S-measure", [](const I& i) { return i.s_measure; }},
      {"e_measure", "E-measure", [](const I& i) { return i.e_measure; }},
      {"weighted_f", "weighted F", [](const I& i) { return i.weighted_f; }},
      {"average_precision", "average precision", [](const I& i) { return i.average_precision; }}};
  return table;
}

Measured measure(const std::string& name, const float* p, const float* mask, int64_t height, int64_t width,
                 double threshold) {
  Measured m{.image = {.name = name, .height = height, .width = width}, .truth = binarize(mask, height, width, 0.5)};
  ImageMeasures& image = m.image;
  const BinaryMap& truth = m.truth;
  for (int64_t i = 0; i < height * width; ++i)
    tensor::check(p[i] >= 0 && p[i] <= 1, "metrics: {} has the probability {} at pixel {}", name, p[i], i);
  const BinaryMap prediction = binarize(p, height, width, threshold);
  for (size_t i = 0; i < truth.pixels.size(); ++i) {
    const bool polyp = truth.pixels[i], said = prediction.pixels[i];
    ++(polyp  ? said ? image.counts.true_positive : image.counts.false_negative
       : said ? image.counts.false_positive
              : image.counts.true_negative);
    const double error = double(p[i]) - polyp;
    image.mse += error * error / double(truth.pixels.size());
  }
  image.lesions = count_lesions(prediction, truth);
  const SurfaceScore surface = surface_score(prediction, truth);
  image.hd95 = surface.hd95, image.assd = surface.assd, image.boundary_f = surface.boundary_f;
  image.s_measure = s_measure(p, truth), image.e_measure = e_measure(p, truth);
  image.weighted_f = weighted_f(p, truth);
  PrecisionRecall own;
  own.add(p, truth.pixels.data(), height * width);
  const auto curve = own.curve();
  image.average_precision = average_precision(curve);
  if (!curve.empty())
    for (int k = 1; k <= 100; ++k) m.precision.push_back(precision_at(curve, double(k) / 100));
  return m;
}

void MeasureSet::add(const std::string& name, const float* p, const float* mask, int64_t height, int64_t width) {
  add(measure(name, p, mask, height, width, threshold_), p);
}

void MeasureSet::add(const Measured& m, const float* p) {
  const auto pixels = int64_t(m.truth.pixels.size());
  pixels_.add(p, m.truth.pixels.data(), pixels);
  curve_.clear();
  calibration_.add(p, m.truth.pixels.data(), pixels);
  images_.push_back(m.image);
  for (size_t k = 0; k < m.precision.size(); ++k) precision_sums_[k] += m.precision[k];
}

std::vector<double> MeasureSet::mean_precision() const {
  const auto with_polyp = double(std::max<int64_t>(std::count_if(images_.begin(), images_.end(), mask_pixels), 1));
  std::vector<double> mean = precision_sums_;
  for (double& v : mean) v /= with_polyp;
  return mean;
}

const std::vector<PrecisionRecallPoint>& MeasureSet::curve() const {
  if (curve_.empty()) curve_ = pixels_.curve();
  return curve_;
}

Json MeasureSet::json() const {
  Counts all;
  LesionCounts lesions;
  int64_t without_polyp = 0, empty_prediction = 0;
  double squared = 0, weight = 0;
  for (const ImageMeasures& i : images_) {
    all += i.counts;
    squared += i.mse * double(pixels(i)), weight += double(pixels(i));
    lesions.lesions += i.lesions.lesions, lesions.found += i.lesions.found;
    lesions.false_positives += i.lesions.false_positives;
    without_polyp += mask_pixels(i) == 0, empty_prediction += predicted_pixels(i) == 0;
  }
  const auto n = double(std::max<size_t>(images_.size(), 1));
  Json pooled = {{"dice", dice(all)},
                 {"iou", iou(all)},
                 {"precision", precision(all)},
                 {"recall", recall(all)},
                 {"specificity", specificity(all)},
                 {"f2", f_beta(all, 2)},
                 {"mse", weight > 0 ? squared / weight : 0},
                 {"mse_thresholded", wrong_share(all)}};
  if (all.true_positive + all.false_negative > 0) pooled["average_precision"] = average_precision(curve());
  pooled["expected_calibration_error"] = calibration_.expected_error();
  Json json = {{"threshold", threshold_},
               {"images", images_.size()},
               {"images_without_polyp", without_polyp},
               {"images_without_prediction", empty_prediction},
               {"mean", means(images_)},
               {"pooled", pooled},
               {"lesions",
                {{"count", lesions.lesions},
                 {"found", lesions.found},
                 {"sensitivity", lesions.lesions ? double(lesions.found) / double(lesions.lesions) : 1.0},
                 {"false_positives", lesions.false_positives},
                 {"false_positives_per_image", double(lesions.false_positives) / n}}}};
  for (const SizeClass& c : kSizeClasses) {
    std::vector<ImageMeasures> some;
    for (const ImageMeasures& i : images_)
      if (const double share = double(mask_pixels(i)) / double(pixels(i));
          mask_pixels(i) > 0 && share >= c.least && share < c.below)
        some.push_back(i);
    json["by_size"][c.name] = {{"images", some.size()}};
    if (!some.empty()) json["by_size"][c.name]["mean"] = means(some);
  }
  for (const Calibration::Bin& b : calibration_.bins())
    json["calibration"].push_back({{"pixels", b.pixels},
                                   {"probability", b.pixels ? b.probability / double(b.pixels) : 0},
                                   {"polyp", b.pixels ? double(b.polyp) / double(b.pixels) : 0}});
  return json;
}

std::string MeasureSet::csv() const {
  std::string text = "name";
  for (const Measure& m : image_measures()) text += fmt::format(",{}", m.key);
  text += ",mask_pixels,predicted_pixels,pixels,lesions,lesions_found,lesions_false\n";
  for (const ImageMeasures& i : images_) {
    text += data::csv_name(i.name);
    for (const Measure& m : image_measures()) text += counts_in_mean(m, i) ? fmt::format(",{}", m.of(i)) : ",";
    text += fmt::format(",{},{},{},{},{},{}\n", mask_pixels(i), predicted_pixels(i), pixels(i), i.lesions.lesions,
                        i.lesions.found, i.lesions.false_positives);
  }
  return text;
}

}  // namespace cris
