/// The CRF layer: its parameters, its two modes, its cache, and its place in a model.
#include "cris/crf.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>

#include "cris/model.h"
#include "tests/difference.h"

using autograd::Variable;
using cris::Crf;
using cris::CrfOptions;
using tensor::Device;
using tensor::DType;
using tensor::Shape;
using tensor::Tensor;

namespace {

Tensor draw(uint32_t stream, const Shape& shape, double low, double high) {
  return tensor::uniform({21, stream, 0}, shape, low, high, DType::f32, Device::cpu);
}

}  // namespace

TEST_CASE("crf: three weights, initially I, I and -I, or as the options say") {
  Crf crf;
  const auto parameters = crf.parameters();
  REQUIRE(parameters.size() == 3);
  const char* names[] = {"spatial_weight", "bilateral_weight", "compatibility"};
  const double scale[] = {1, 1, -1};
  for (int i = 0; i < 3; ++i) {
    CHECK(parameters[i].name == names[i]);
    CHECK(parameters[i].value->value().to_vector() == std::vector<double>{scale[i], 0, 0, scale[i]});
    CHECK(parameters[i].value->requires_grad());
    parameters[i].value->set_value(draw(9, {2, 2}, 0, 1));
  }
  nn::initialize(crf, 1);
  for (int i = 0; i < 3; ++i)
    CHECK(parameters[i].value->value().to_vector() == std::vector<double>{scale[i], 0, 0, scale[i]});
  Crf heavy(CrfOptions{.spatial_weight = 3, .bilateral_weight = 5});
  const std::vector<double> three{3, 0, 0, 3}, five{5, 0, 0, 5};
  CHECK(heavy.spatial_weight.value().to_vector() == three);
  CHECK(heavy.bilateral_weight.value().to_vector() == five);
  nn::initialize(heavy, 1);
  CHECK(heavy.spatial_weight.value().to_vector() == three);
  CHECK(heavy.bilateral_weight.value().to_vector() == five);
}

TEST_CASE("crf: it begins by leaving unsure what is unsure, with 3 and 5 ten iterations make it certain") {
  // The filters keep a constant map: q = z + (spatial + bilateral) tanh(q / 2).
  const Tensor image = draw(1, {1, 12, 16, 3}, 0, 1);
  const Variable z(tensor::full({1, 12, 16, 1}, -0.1, DType::f32, Device::cpu));
  const auto lowest = [&](const CrfOptions& options) {
    const auto q = Crf(options).after(10, z, image).value().to_vector();
    return *std::min_element(q.begin(), q.end());
  };
  double q = -0.1;
  for (int t = 0; t < 10; ++t) q = -0.1 + 2 * std::tanh(q / 2);
  CHECK(lowest({}) == doctest::Approx(q).epsilon(1e-4));
  CHECK(lowest({}) > -1);
  CHECK(lowest({.spatial_weight = 3, .bilateral_weight = 5}) < -8);
}

TEST_CASE("crf: a speck of another opinion is overruled by pixels of its colour, an edge is kept") {
  const int64_t size = 24;
  std::vector<float> colour, logit;
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x) {
      const bool right = x >= size / 2;
      for (int c = 0; c < 3; ++c) colour.push_back(right ? 0.8f : 0.2f);
      const bool speck = y == 5 && x == 4;
      logit.push_back(right != speck ? 1.0f : -1.0f);
    }
  Crf crf;
  crf.train(false);
  const Variable y = crf(Variable(Tensor::from(logit, {1, size, size, 1}, Device::cpu)),
                         Tensor::from(colour, {1, size, size, 3}, Device::cpu));
  const auto refined = y.value().to_vector();
  for (int64_t i = 0; i < size * size; ++i) CHECK((refined[i] > 0) == (i % size >= size / 2));
}

TEST_CASE("crf: 5 iterations in training, 10 in evaluation, more change the result") {
  Crf crf;
  const Tensor image = draw(1, {2, 12, 16, 3}, 0, 1);
  const Variable z(draw(2, {2, 12, 16, 1}, -2, 2));
  CHECK(largest_difference(crf(z, image).value(), crf.after(5, z, image).value()) == 0);
  crf.train(false);
  CHECK(largest_difference(crf(z, image).value(), crf.after(10, z, image).value()) == 0);
  CHECK(largest_difference(crf.after(1, z, image).value(), crf.after(2, z, image).value()) > 1e-4);
}

TEST_CASE(
    "crf: filters are found again by the image's content, never beyond the memory allowed, with the same result") {
  const Tensor image = draw(3, {3, 12, 16, 3}, 0, 1);
  const Variable z(draw(4, {3, 12, 16, 1}, -2, 2));
  Crf keeping, forgetting(CrfOptions{.cache_bytes = 0});
  const Tensor first = keeping(z, image).value();
  CHECK(keeping.kept_filters() == 3);
  CHECK(largest_difference(keeping(z, image.clone()).value(), first) == 0);
  CHECK(keeping.kept_filters() == 3);
  CHECK(largest_difference(forgetting(z, image).value(), first) == 0);
  CHECK(forgetting.kept_filters() == 0);

  // Room for two filters and a bit: the third is used but not kept.
  const int64_t each = keeping.kept_bytes() / 3;
  Crf narrow(CrfOptions{.cache_bytes = 5 * each / 2});
  CHECK(largest_difference(narrow(z, image).value(), first) == 0);
  CHECK(narrow.kept_filters() == 2);
  CHECK(narrow.kept_bytes() <= narrow.options.cache_bytes);
  CHECK(largest_difference(narrow(z, image).value(), first) == 0);

  // Another image is another filter: its first pixel has the colour of the second.
  const Tensor other = image.clone();
  std::copy_n(other.data<float>() + 3, 3, other.data<float>());
  CHECK(largest_difference(keeping(z, other).value(), first) > 0);
  CHECK(keeping.kept_filters() == 4);
}

TEST_CASE("crf: a theta_alpha of 0 follows the width of the image") {
  const Tensor image = draw(1, {1, 12, 40, 3}, 0, 1);
  const Variable z(draw(2, {1, 12, 40, 1}, -2, 2));
  Crf by_width, told(CrfOptions{.theta_alpha = 160.0 * 40 / 500});
  CHECK(largest_difference(by_width(z, image).value(), told(z, image).value()) == 0);
}

TEST_CASE("crf: one pixel, and labels of their own") {
  Crf crf;
  const Variable y = crf(Variable(draw(5, {1, 1, 1, 1}, -1, 1)), draw(6, {1, 1, 1, 3}, 0, 1));
  CHECK(y.shape() == Shape{1, 1, 1, 1});
  CHECK(std::isfinite(y.value().item()));
  Crf four(CrfOptions{.labels = 4});
  CHECK(four(Variable(draw(7, {1, 6, 5, 4}, -1, 1)), draw(8, {1, 6, 5, 3}, 0, 1)).shape() == Shape{1, 6, 5, 4});
}

TEST_CASE("crf: bad options and shapes are errors that name them") {
  CHECK_THROWS_WITH_AS(Crf(CrfOptions{.theta_beta = 0}), doctest::Contains("theta_beta = 0"), tensor::Error);
  CHECK_THROWS_WITH_AS(Crf(CrfOptions{.theta_alpha = -1}), doctest::Contains("theta_alpha = -1"), tensor::Error);
  CHECK_THROWS_WITH_AS(Crf(CrfOptions{.theta_gamma = -2}), doctest::Contains("theta_gamma = -2"), tensor::Error);
  CHECK_THROWS_WITH_AS(Crf(CrfOptions{.training_iterations = 0}), doctest::Contains("0 and 10 iterations"),
                       tensor::Error);
  CHECK_THROWS_WITH_AS(Crf(CrfOptions{.bilateral_weight = -5}), doctest::Contains("initial weight -5"), tensor::Error);
  Crf crf;
  const Variable z(draw(2, {1, 8, 8, 1}, -2, 2));
  CHECK_THROWS_WITH_AS(crf(z, draw(1, {1, 8, 9, 3}, 0, 1)), doctest::Contains("image [1, 8, 9, 3]"), tensor::Error);
  CHECK_THROWS_WITH_AS(crf(z, draw(1, {1, 8, 8, 1}, 0, 1)), doctest::Contains("image [1, 8, 8, 1]"), tensor::Error);
}

TEST_CASE("crf: as a strategy, the loss of its output trains the backbone and its own weights") {
  cris::ModelOptions options;
  options.backbone = {.kind = cris::BackboneKind::unet, .base = 2};
  options.strategy = cris::Strategy::crf;
  cris::Model model(options);
  nn::initialize(model, 3);
  const Tensor image = draw(1, {2, 16, 16, 3}, 0, 1),
               target = tensor::map(tensor::Threshold{0.5}, draw(2, {2, 16, 16, 1}, 0, 1));
  const cris::Outputs out = model(Variable(image));
  CHECK(out.output.shape() == out.mask.shape());
  CHECK(largest_difference(out.output.value(), out.mask.value()) > 1e-3);
  autograd::backward(autograd::binary_cross_entropy_with_logits(out.output, target));
  int named = 0;
  for (const auto& p : model.parameters()) {
    CAPTURE(p.name);
    CHECK(p.value->grad().defined());
    if (p.name.rfind("crf.", 0) == 0) ++named;
  }
  CHECK(named == 3);
}
