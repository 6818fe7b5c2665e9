/// The mean field: the one-channel form against two labels, and the recursion against its formula. Its gradient is held
/// by the table of op cases.
#include <doctest/doctest.h>

#include <cmath>

#include "autograd/gradcheck.h"
#include "autograd/op_cases.h"
#include "tests/difference.h"
#include "tests/message.h"

using namespace autograd;
using tensor::Device;
using tensor::DType;
using tensor::GaussianKind;
using tensor::Normalisation;
using tensor::Shape;

namespace {

constexpr int64_t kImages = 2, kHeight = 5, kWidth = 6;

struct Fields {
  Filters spatial, bilateral;
};

Fields fields(GaussianKind kind, Normalisation normalisation, uint64_t seed = 5) {
  const Tensor image =
      tensor::uniform({seed, 0, 0}, {kImages, kHeight, kWidth, 3}, 0, 255, DType::f64, Device::reference);
  Fields y;
  for (int64_t n = 0; n < kImages; ++n) {
    y.spatial.push_back(std::make_shared<tensor::GaussianFilter>(
        kind, normalisation, tensor::spatial_features(kHeight, kWidth, 2, DType::f64, Device::reference)));
    y.bilateral.push_back(
        std::make_shared<tensor::GaussianFilter>(kind, normalisation, tensor::bilateral_features(image, n, 5, 60)));
  }
  return y;
}

Tensor draw(uint32_t stream, const Shape& shape, double low, double high) {
  return tensor::uniform({11, stream, 0}, shape, low, high, DType::f64, Device::reference);
}

struct Weights {
  Variable spatial, bilateral, compatibility;
  explicit Weights(int64_t labels)
      : spatial(draw(1, {labels, labels}, -1, 3), true),
        bilateral(draw(2, {labels, labels}, -1, 4), true),
        compatibility(draw(3, {labels, labels}, -1.5, 0.5), true) {}
};

}  // namespace

TEST_CASE("mean field: one channel equals two labels, values and gradients, whatever the weights") {
  for (const GaussianKind kind : tensor::kGaussianKinds)
    for (const Normalisation normalisation : {Normalisation::row, Normalisation::symmetric}) {
      CAPTURE(name(kind));
      CAPTURE(name(normalisation));
      const Fields f = fields(kind, normalisation);
      const Tensor z = draw(4, {kImages, kHeight, kWidth, 1}, -2, 2);
      const Tensor dz = draw(5, z.shape(), -1, 1);
      const Tensor zero = tensor::full_like(z, 0);

      const Weights one(2), two(2);
      const Variable logit(z, true), logits(tensor::concat({zero, z}), true);
      const Variable s = mean_field(logit, f.spatial, f.bilateral, one.spatial, one.bilateral, one.compatibility, 4);
      const Variable q = mean_field(logits, f.spatial, f.bilateral, two.spatial, two.bilateral, two.compatibility, 4);
      const Tensor difference =
          tensor::zip(tensor::Subtract{}, tensor::channels(q.value(), 1, 1), tensor::channels(q.value(), 0, 1));
      CHECK(s.shape() == z.shape());
      CHECK(largest_difference(s.value(), difference) < 1e-11);
      // L = sum dz (q_1 - q_0): the cotangent of q is (-dz, dz).
      backward(s, dz);
      backward(q, tensor::concat({tensor::map(tensor::Affine{-1, 0}, dz), dz}));
      CHECK(largest_difference(logit.grad(), tensor::channels(logits.grad(), 1, 1)) < 1e-11);
      CHECK(largest_difference(one.spatial.grad(), two.spatial.grad()) < 1e-10);
      CHECK(largest_difference(one.bilateral.grad(), two.bilateral.grad()) < 1e-10);
      CHECK(largest_difference(one.compatibility.grad(), two.compatibility.grad()) < 1e-10);
    }
}

TEST_CASE("mean field: every step is the formula") {
  const Fields f = fields(GaussianKind::exact, Normalisation::row);
  const int64_t labels = 3, pixels = kHeight * kWidth;
  const Weights w(labels);
  const Tensor u = draw(6, {kImages, kHeight, kWidth, labels}, -2, 2);
  std::vector<double> q = u.to_vector();
  const std::vector<double> unary = q, ws = w.spatial.value().to_vector(), wb = w.bilateral.value().to_vector(),
                            c = w.compatibility.value().to_vector();
  for (int t = 1; t <= 3; ++t) {
    for (size_t p = 0; p < q.size(); p += labels) {
      double total = 0;
      for (int64_t l = 0; l < labels; ++l) total += q[p + l] = std::exp(q[p + l]);
      for (int64_t l = 0; l < labels; ++l) q[p + l] /= total;
    }
    const Tensor probability = Tensor::from(q, {kImages, pixels, labels}, Device::reference);
    const Tensor s(probability.shape(), DType::f64, Device::reference), b(s.shape(), DType::f64, Device::reference);
    for (int64_t n = 0; n < kImages; ++n) {
      f.spatial[n]->apply(n, false, probability, s);
      f.bilateral[n]->apply(n, false, probability, b);
    }
    const std::vector<double> sv = s.to_vector(), bv = b.to_vector();
    for (size_t p = 0; p < q.size(); p += labels)
      for (int64_t l = 0; l < labels; ++l) {
        q[p + l] = unary[p + l];
        for (int64_t k = 0; k < labels; ++k)
          for (int64_t j = 0; j < labels; ++j)
            q[p + l] -= c[l * labels + k] * (ws[k * labels + j] * sv[p + j] + wb[k * labels + j] * bv[p + j]);
      }
    const Variable y = mean_field(Variable(u), f.spatial, f.bilateral, w.spatial, w.bilateral, w.compatibility, t);
    CAPTURE(t);
    CHECK(largest_difference(y.value(), Tensor::from(q, u.shape(), Device::reference)) < 1e-12);
  }
}

TEST_CASE("mean field: shapes that do not fit are errors that name them") {
  const Fields f = fields(GaussianKind::permutohedral, Normalisation::row);
  const Weights two(2), three(3);
  const Variable z(draw(7, {kImages, kHeight, kWidth, 1}, -1, 1)), single(draw(7, {1, kHeight, kWidth, 1}, -1, 1));
  const auto run = [&](const Variable& x, const Weights& w, int iterations) {
    return mean_field(x, f.spatial, f.bilateral, w.spatial, w.bilateral, w.compatibility, iterations);
  };
  CHECK_REFUSED(run(z, three, 1), "weight [3, 3] must be [2, 2]");
  CHECK_REFUSED(run(z, two, 0), "0 iterations");
  CHECK_REFUSED(run(single, two, 1), "2 filters for the 1 images");
}
