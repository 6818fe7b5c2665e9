/// Scores against counts made by hand, and against a brute force over the pixels.
#include "cris/metrics.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "cris/report/overlay.h"
#include "tensor/check.h"
#include "tensor/random.h"

using namespace cris;

namespace {

/// Random maps whose probabilities often lie exactly on the grid.
struct Maps {
  std::vector<float> probability, mask;
  Maps(uint32_t draw, int64_t pixels) {
    const tensor::RandomKey key{.seed = 3, .stream = 1, .step = draw};
    for (int64_t i = 0; i < pixels; ++i) {
      const double u = tensor::uniform(key, uint64_t(2 * i));
      probability.push_back(i % 3 ? float(u) : float(std::floor(u * 100) / 100));
      mask.push_back(tensor::uniform(key, uint64_t(2 * i + 1)) < 0.3 ? 1 : 0);
    }
  }
};

}  // namespace

TEST_CASE("the median of an even count is the mean of both in the middle") {
  CHECK(median({}) == 0);
  CHECK(median({3}) == 3);
  CHECK(median({4, 1}) == 2.5);
  CHECK(median({9, 1, 4}) == 4);
  CHECK(median({8, 1, 2, 3}) == 2.5);
}

TEST_CASE("what an overlay shows as predicted are the pixels that were scored, at every threshold") {
  std::vector<float> p, mask;
  for (int k = 0; k < kThresholds; ++k)
    for (const float step : {-1e-7f, 0.0f, 1e-7f, 0.0015f}) {
      p.push_back(std::clamp(float(threshold_at(k)) + step, 0.0f, 1.0f));
      mask.push_back(float(k % 2));
    }
  Scores scores;
  scores.add("image", p.data(), mask.data(), int64_t(p.size()));
  for (int k = 0; k < kThresholds; ++k) {
    const data::Image shown = mask_image(p.data(), int64_t(p.size()), 1, threshold_at(k));
    CHECK(std::ranges::count(shown.pixels, 255) == scores.per_image(threshold_at(k))[0].predicted_pixels);
  }
}

TEST_CASE("overlaps of empty masks and predictions follow their conventions") {
  const Counts both_empty{.true_negative = 9}, missed{.false_negative = 4}, invented{.false_positive = 4};
  CHECK(dice(both_empty) == 1);
  CHECK(precision(both_empty) == 1);
  CHECK(recall(both_empty) == 1);
  CHECK(dice(missed) == 0);
  CHECK(precision(missed) == 0);
  CHECK(recall(missed) == 0);
  CHECK(dice(invented) == 0);
  CHECK(precision(invented) == 0);
  CHECK(recall(invented) == 0);
  const Counts c{.true_positive = 6, .false_positive = 2, .false_negative = 4, .true_negative = 8};
  CHECK(dice(c) == doctest::Approx(12.0 / 18));
  CHECK(precision(c) == doctest::Approx(0.75));
  CHECK(recall(c) == doctest::Approx(0.6));
}

TEST_CASE("every threshold agrees with counting the pixels anew") {
  Scores scores;
  std::vector<Maps> maps;
  for (uint32_t draw = 0; draw < 3; ++draw) {
    maps.emplace_back(draw, 200 + 50 * draw);
    scores.add("x", maps.back().probability.data(), maps.back().mask.data(), int64_t(maps.back().mask.size()));
  }
  const auto pooled = scores.curve(true), means = scores.curve(false);
  for (const int k : {0, 1, 7, 29, 50, 57, 58, 99, 100}) {
    CAPTURE(k);
    Counts all;
    double mean_dice = 0;
    for (const Maps& m : maps) {
      Counts c;
      for (size_t i = 0; i < m.mask.size(); ++i) {
        const bool predicted = double(m.probability[i]) >= k / 100.0, polyp = m.mask[i] == 1;
        ++(predicted ? (polyp ? c.true_positive : c.false_positive) : (polyp ? c.false_negative : c.true_negative));
      }
      all += c;
      mean_dice += dice(c) / double(maps.size());
    }
    CHECK(pooled[size_t(k)].threshold == threshold_at(k));
    CHECK(pooled[size_t(k)].dice == doctest::Approx(dice(all)));
    CHECK(pooled[size_t(k)].precision == doctest::Approx(precision(all)));
    CHECK(pooled[size_t(k)].recall == doctest::Approx(recall(all)));
    CHECK(means[size_t(k)].dice == doctest::Approx(mean_dice));
    const MeanScores s = scores.summary(threshold_at(k));
    CHECK(s.dice == doctest::Approx(mean_dice));
    CHECK(s.dice_pooled == doctest::Approx(dice(all)));
  }
  const double best = scores.best_threshold();
  const auto highest = std::max_element(means.begin(), means.end(),
                                        [](const CurvePoint& a, const CurvePoint& b) { return a.dice < b.dice; });
  CHECK(best == highest->threshold);
  // All thresholds between the two values are equally good: the lowest is taken.
  Scores two;
  const float p[] = {0.2f, 0.8f}, g[] = {0, 1};
  two.add("x", p, g, 2);
  CHECK(two.best_threshold() == threshold_at(21));
}

TEST_CASE("squared errors, of probabilities and of thresholded masks") {
  const float p[] = {0.9f, 0.2f, 0.5f, 0.0f}, g[] = {1, 0, 0, 1};
  Scores scores;
  scores.add("x", p, g, 4);
  const MeanScores s = scores.summary(0.5);
  CHECK(s.mse == doctest::Approx((0.01 + 0.04 + 0.25 + 1) / 4));
  CHECK(s.mse_thresholded == doctest::Approx(0.5));  // a probability of 0.5 is polyp
  // The last pixel is a polyp at probability 0: its logarithm counts as -100.
  CHECK(s.cross_entropy == doctest::Approx(-(std::log(0.9) + std::log(0.8) + std::log(0.5) - 100) / 4));
  CHECK_THROWS_AS(scores.summary(0.123), tensor::Error);
}

TEST_CASE("the convention of PraNet stretches each map to [0, 1]") {
  const float p[] = {0.3f, 0.3f, 0.4f, 0.4f}, g[] = {0, 0, 1, 1};
  Scores perfect;
  perfect.add("x", p, g, 4);
  // At threshold 0 everything is polyp (Dice 2/3), at the other 255 the stretched map equals the mask.
  CHECK(perfect.pranet_mean_dice() == doctest::Approx((255 + 2.0 / 3) / 256));
  CHECK(perfect.summary(0.5).dice == 0);
}

TEST_CASE("a probability that is none is refused by name") {
  Scores scores;
  const float g = 0;
  for (const float p : {NAN, -0.1f, 1.1f})
    CHECK_THROWS_WITH_AS(scores.add("frame7", &p, &g, 1), doctest::Contains("frame7"), tensor::Error);
  CHECK(scores.images() == 0);
}

TEST_CASE("the spread of several seeds") {
  const Spread one = spread({0.7}), many = spread({0.6, 0.7, 0.8, 0.9});
  CHECK(one.mean == 0.7);
  CHECK(one.deviation == 0);
  CHECK(many.mean == doctest::Approx(0.75));
  CHECK(many.deviation == doctest::Approx(std::sqrt(0.05 / 3)));
  CHECK(spread({}).mean == 0);
}
