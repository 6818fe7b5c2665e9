/// Dense CRF post-processing: reading label maps, unaries, what it does to a map, and bad input.
#include "cris/dense_crf.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "data/format_error.h"
#include "tensor/random.h"

using cris::DenseCrfOptions;
using cris::LabelMap;
using data::Image;

namespace {

constexpr int64_t kSize = 40;

/// Three upright stripes of different colours with noise; stripe l is what label l should cover.
int stripe(int64_t x) { return int(3 * x / kSize); }

Image striped(uint64_t seed) {
  Image image(kSize, kSize, 3);
  const uint8_t colours[3][3] = {{60, 40, 30}, {150, 80, 60}, {80, 140, 190}};
  for (int64_t y = 0; y < kSize; ++y)
    for (int64_t x = 0; x < kSize; ++x)
      for (int c = 0; c < 3; ++c) {
        const double noise = 6 * tensor::uniform({seed, 1, 0}, uint64_t((y * kSize + x) * 3 + c)) - 3;
        image.at(y, x)[c] = uint8_t(colours[stripe(x)][c] + noise);
      }
  return image;
}

/// Labels of the stripes as colours; the middle of each row is unsure, one pixel in ten is wrong.
Image scribbled(uint64_t seed) {
  Image map(kSize, kSize, 3);
  const uint8_t colours[3][3] = {{0, 64, 0}, {64, 0, 0}, {0, 0, 128}};
  for (int64_t y = 0; y < kSize; ++y)
    for (int64_t x = 0; x < kSize; ++x) {
      const uint64_t at = uint64_t(y * kSize + x);
      int label = stripe(x);
      if (tensor::uniform({seed, 2, 0}, at) < 0.1) label = (label + 1) % 3;
      if (tensor::uniform({seed, 3, 0}, at) < 0.3) continue;
      std::copy(colours[label], colours[label] + 3, map.at(y, x));
    }
  return map;
}

}  // namespace

TEST_CASE("label map: colours numbered by ascending r + 256 g + 65536 b, black unsure unless it is a label") {
  Image picture(1, 4, 3);
  const uint8_t pixels[] = {0, 0, 2, 0, 1, 0, 200, 0, 0, 0, 0, 0};
  std::copy(std::begin(pixels), std::end(pixels), picture.pixels.begin());
  const LabelMap map = cris::label_map(picture, "map.png");
  CHECK(map.colours == std::vector<uint32_t>{200, 256, 131072});
  CHECK(map.labels == std::vector<int32_t>{2, 1, 0, -1});
  CHECK(cris::picture_of(map) == picture);
  CHECK(cris::label_map(picture, "map.png", true).labels == std::vector<int32_t>{3, 2, 1, 0});
}

TEST_CASE("label map: a mask's black is its background, and JPEG's ringing is undone") {
  Image mask(1, 4, 1);
  mask.pixels = {0, 3, 250, 255};
  CHECK(cris::label_map(mask, "mask.png").labels == std::vector<int32_t>{-1, 0, 1, 2});
  const LabelMap restored = cris::label_map(mask, "mask.jpg", false, true);
  CHECK(restored.labels == std::vector<int32_t>{0, 0, 1, 1});
  CHECK(cris::picture_of(restored).pixels == std::vector<uint8_t>{0, 0, 255, 255});
  Image levels(1, 100, 1);
  for (size_t i = 0; i < 100; ++i) levels.pixels[i] = uint8_t(2 * i);
  CHECK_THROWS_WITH_AS(cris::label_map(levels, "soft.png"), doctest::Contains("--probability"), data::FormatError);
}

TEST_CASE("log probability: of labels, and of probability maps") {
  LabelMap map{.height = 1, .width = 3, .colours = {1, 2, 3}, .labels = {0, 2, -1}};
  const auto u = cris::log_probability(map, {.ground_truth_probability = 0.8}).to_vector();
  const double expected[] = {0.8, 0.1, 0.1, 0.1, 0.1, 0.8, 1 / 3.0, 1 / 3.0, 1 / 3.0};
  for (int i = 0; i < 9; ++i) CHECK(std::exp(u[i]) == doctest::Approx(expected[i]).epsilon(1e-6));

  Image foreground(1, 2, 1), background(1, 2, 1);
  foreground.pixels = {255, 51};
  background.pixels = {0, 204};
  const auto one = cris::log_probability({foreground}).to_vector();
  const auto two = cris::log_probability({background, foreground}).to_vector();
  for (int i = 0; i < 4; ++i) CHECK(one[i] == doctest::Approx(two[i]).epsilon(1e-6));
  CHECK(std::exp(one[0]) * 1e5 == doctest::Approx(1).epsilon(1e-4));
  CHECK(std::exp(one[3]) == doctest::Approx(0.2));
}

TEST_CASE("dense crf: three labels follow the image's stripes, by each filter") {
  const Image image = striped(1);
  LabelMap map = cris::label_map(scribbled(1), "map.png");
  for (const tensor::GaussianKind kind : tensor::kGaussianKinds) {
    CAPTURE(name(kind));
    const DenseCrfOptions options{.kind = kind};
    const auto labels =
        cris::likeliest(cris::dense_crf(cris::log_probability(map, options), image, "image.png", options));
    // Ascending colours: red 64 is label 0, green 64 is 1, blue 128 is 2.
    const int label_of_stripe[] = {1, 0, 2};
    int wrong_before = 0, wrong = 0;
    for (int64_t i = 0; i < kSize * kSize; ++i) {
      wrong += labels[i] != label_of_stripe[stripe(i % kSize)];
      wrong_before += map.labels[i] != label_of_stripe[stripe(i % kSize)];
    }
    CHECK(wrong_before > 400);
    CHECK(wrong == 0);
  }
}

TEST_CASE("dense crf: renaming the labels renames the result") {
  const Image image = striped(2);
  const LabelMap map = cris::label_map(scribbled(2), "map.png");
  LabelMap renamed = map;
  for (int32_t& l : renamed.labels) l = l < 0 ? l : 2 - l;
  const DenseCrfOptions options{.normalisation = tensor::Normalisation::row};
  const auto a = cris::likeliest(cris::dense_crf(cris::log_probability(map, options), image, "i", options));
  const auto b = cris::likeliest(cris::dense_crf(cris::log_probability(renamed, options), image, "i", options));
  for (size_t i = 0; i < a.size(); ++i) CHECK(b[i] == 2 - a[i]);
}

TEST_CASE("dense crf: one pixel keeps its likelier label") {
  Image image(1, 1, 3), probability(1, 1, 1);
  for (const uint8_t p : {40, 230}) {
    probability.pixels = {p};
    CHECK(cris::likeliest(cris::dense_crf(cris::log_probability({probability}), image, "i", {})) ==
          std::vector<int32_t>{p > 127});
  }
}

TEST_CASE("dense crf: bad input is an error that says what") {
  using data::FormatError;
  const Image image = striped(3);
  CHECK(cris::label_map(Image(2, 2, 3), "a.png").labels == std::vector<int32_t>{0, 0, 0, 0});
  CHECK(cris::label_map(Image(2, 2, 3), "a.png", true).labels == std::vector<int32_t>{0, 0, 0, 0});
  Image photograph(20, 20, 3);
  for (size_t i = 0; i < 400; ++i)
    photograph.pixels[3 * i] = uint8_t(i), photograph.pixels[3 * i + 1] = uint8_t(i / 256 + 1);
  CHECK_THROWS_WITH_AS(cris::label_map(photograph, "b.jpg"), doctest::Contains("b.jpg: more than 256 colours"),
                       FormatError);
  const auto unary = cris::log_probability(cris::label_map(scribbled(3), "m"), {});
  CHECK_THROWS_WITH_AS(cris::dense_crf(unary, Image(kSize, kSize + 1, 3), "i.png", {}),
                       doctest::Contains("i.png: the image has 41 x 40 pixels, its labels or probabilities 40 x 40"),
                       FormatError);
  CHECK_THROWS_WITH_AS(cris::log_probability({Image(2, 2, 1), Image(2, 3, 1)}),
                       doctest::Contains("do not fit together"), FormatError);
  const auto refuses = [&](const DenseCrfOptions& options, const char* why) {
    CHECK_THROWS_WITH_AS(cris::dense_crf(unary, image, "i", options), doctest::Contains(why), tensor::Error);
  };
  refuses({.spatial_theta = 0}, "--gaussian-sxy 0 must be at least 0.5");
  refuses({.bilateral_theta = -3}, "--sxy -3 must be at least 0.5");
  refuses({.colour_theta = 0}, "--srgb 0 must be at least 0.01");
  refuses({.bilateral_weight = -1}, "between 0 and 10^6");
  refuses({.spatial_weight = 1e300}, "between 0 and 10^6");
  refuses({.iterations = 1000000000}, "1 to 1000");
  refuses({.ground_truth_probability = 1}, "--gt-prob 1");
  refuses({.iterations = 0}, "--iterations 0");
}
