/// Chapter 9: how good is a mask, and how sure is the number?
#include <fmt/format.h>

#include "cris/metrics.h"
#include "cris/report/statistics.h"
#include "cris/report/svg_chart.h"
#include "docs/course/figure.h"
#include "tensor/random.h"

using namespace cris;

namespace {

/// A picture of `pixels` pixels, `polyp` of which are polyp; the method's probabilities are `skill` apart on average.
void add_picture(Scores& scores, int i, int pixels, int polyp, double skill) {
  std::vector<float> p, mask;
  for (int k = 0; k < pixels; ++k) {
    mask.push_back(k < polyp ? 1 : 0);
    const double z = (k < polyp ? skill : -skill) + 2 * tensor::normal({5, uint32_t(i), 0}, uint64_t(k));
    p.push_back(float(1 / (1 + std::exp(-z))));
  }
  scores.add(fmt::format("{}", i), p.data(), mask.data(), pixels);
}

std::vector<double> dice_of(const Scores& scores) {
  std::vector<double> all;
  for (const ImageScore& s : scores.per_image(0.5)) all.push_back(s.dice);
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  const Counts c{.true_positive = 6, .false_positive = 2, .false_negative = 4, .true_negative = 88};
  fmt::print("precision {:.3f}, recall {:.3f}, Dice {:.3f}, IoU {:.3f}, wrong {:.3f}\n", precision(c), recall(c),
             dice(c), iou(c), wrong_share(c));
  fmt::print("nothing drawn, nothing found: Dice {}; nothing drawn, one pixel found: Dice {}\n\n", dice({}),
             dice({.false_positive = 1}));

  // One large polyp found, one small polyp missed: the mean over images and the pooled pixels disagree.
  Scores two;
  std::vector<float> found(100, 0.9f), large(100, 1), missed(100, 0.1f), small(100, 0);
  small[0] = small[1] = 1;
  two.add("large", found.data(), large.data(), 100);
  two.add("small", missed.data(), small.data(), 100);
  fmt::print("mean over images {:.3f}, pooled {:.3f}\n\n", two.summary(0.5).dice, two.summary(0.5).dice_pooled);

  // Two methods, one a little better than the other, on 60 pictures.
  Scores good, better;
  for (int i = 0; i < 60; ++i) {
    const int polyp = 40 + int(tensor::uniform_below({6, 0, 0}, uint64_t(i), 160));
    add_picture(good, i, 400, polyp, 1.5), add_picture(better, i, 400, polyp, 1.55);
  }
  fmt::print("best threshold {:.2f}\n", better.best_threshold());
  Series line{"pooled", {}};
  for (const CurvePoint& point : better.curve(true))
    if (point.recall > 0) line.points.emplace_back(point.recall, point.precision);
  Chart chart{"Precision and recall, 101 thresholds", "recall", "precision", {line}};
  chart.x_range = chart.y_range = {0, 1};
  course::save(argc, argv, "09-precision-recall.svg", to_svg(chart));

  const std::vector<double> a = dice_of(better), b = dice_of(good);
  const Interval alone = hierarchical_bootstrap({a}), beside = hierarchical_bootstrap({b});
  fmt::print("better: Dice {:.3f}, 95 % interval {:.3f} to {:.3f}\n", alone.mean, alone.low, alone.high);
  fmt::print("good:   Dice {:.3f}, 95 % interval {:.3f} to {:.3f}\n", beside.mean, beside.low, beside.high);
  const Interval paired = paired_difference({a}, {b}), unpaired = unpaired_difference({a}, {b});
  fmt::print("difference, paired:   {:.4f}, {:.4f} to {:.4f}\n", paired.mean, paired.low, paired.high);
  fmt::print("difference, unpaired: {:.4f}, {:.4f} to {:.4f}\n", unpaired.mean, unpaired.low, unpaired.high);
}
