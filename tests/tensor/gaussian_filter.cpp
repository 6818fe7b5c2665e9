/// The Gaussian filters: devices, threads, awkward input. Their transposes are held by autograd's table of op cases.
#include <limits>

#include "expect.h"
#include "filtered.h"
#include "tests/difference.h"
#include "tests/threads.h"

namespace {

using namespace filtered;

TEST_CASE("gaussian filter: rows sum to 1") {
  const int64_t size = 24;
  const Tensor f = bilateral_features(textured_image(size, DType::f64, Device::cpu, 8), 0, 10, 5);
  const Tensor ones = full({2, size * size, 1}, 1, DType::f64, Device::cpu);
  for (const GaussianKind kind : kGaussianKinds)
    CHECK(largest_difference(apply({kind, Normalisation::row, f}, ones), ones) < 1e-12);
}

TEST_CASE("gaussian filter: three points on a line, normalised either way, by hand") {
  const std::vector<double> place{0, 1, 3}, value{1, -2, 5};
  const Tensor f = Tensor::from(place, {3, 1}, Device::cpu), x = Tensor::from(value, {1, 3, 1}, Device::cpu);
  const auto k = [&](int i, int j) { return std::exp(-0.5 * (place[i] - place[j]) * (place[i] - place[j])); };
  const auto total = [&](int i) { return k(i, 0) + k(i, 1) + k(i, 2); };
  for (const Normalisation normalisation : {Normalisation::row, Normalisation::symmetric}) {
    const std::vector<double> y = apply({GaussianKind::exact, normalisation, f}, x).to_vector();
    for (int i = 0; i < 3; ++i) {
      double expected = 0;
      for (int j = 0; j < 3; ++j)
        expected +=
            k(i, j) * value[j] / (normalisation == Normalisation::row ? total(i) : std::sqrt(total(i) * total(j)));
      CHECK(y[i] == doctest::Approx(expected).epsilon(1e-12));
    }
  }
}

TEST_CASE("gaussian filter: the lattice of the cpu is the reference's, bit for bit") {
  for (const int64_t channels : {1, 2, 3, 4, 7}) {
    const int64_t size = channels == 1 ? 71 : 13;  // the larger has points for several threads
    CAPTURE(channels);
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Tensor image = textured_image(size, dtype, Device::reference, 9);
      const Tensor f = bilateral_features(image, 0, 15, 9);
      const Tensor x = random_signal({2, size * size, channels}, dtype, Device::reference, 5);
      const GaussianFilter slow(GaussianKind::permutohedral, Normalisation::symmetric, f);
      const GaussianFilter fast(GaussianKind::permutohedral, Normalisation::symmetric, f.to(Device::cpu));
      for (const bool transpose : {false, true})
        CHECK(same_bits(apply(slow, x, transpose), apply(fast, x.to(Device::cpu), transpose)));
    }
  }
}

TEST_CASE("gaussian filter: the same bits for any number of threads") {
  const int64_t size = 150;  // two blocks of points, the last chunk short
  const Tensor image = textured_image(size, DType::f32, Device::cpu, 10);
  const Tensor x = random_signal({1, size * size, 1}, DType::f32, Device::cpu, 6);
  std::vector<Tensor> first;
  for (const int count : {1, 2, 3}) {
    const Threads scope(count);
    const Tensor f = bilateral_features(image, 0, 32, 3);
    std::vector<Tensor> now;
    const Lattice l = build_lattice(f);
    now.insert(now.end(),
               {l.vertex, l.weight, l.neighbour, apply({GaussianKind::permutohedral, Normalisation::row, f}, x)});
    const Tensor small = spatial_features(33, 33, 4, DType::f32, Device::cpu);
    const Tensor v = random_signal({1, 33 * 33, 1}, DType::f32, Device::cpu, 7);
    now.push_back(apply({GaussianKind::exact, Normalisation::row, small}, v));
    if (count == 1) {
      first = now;
      continue;
    }
    for (size_t i = 0; i < now.size(); ++i) {
      CAPTURE(i);
      CHECK(same_bits(now[i], first[i]));
    }
  }
}

TEST_CASE("gaussian filter: one point, equal points, far points") {
  for (const GaussianKind kind : kGaussianKinds) {
    CAPTURE(name(kind));
    const Tensor one = full({1, 5}, 3.25, DType::f32, Device::cpu);
    const Tensor x = full({1, 1, 2}, 0.75, DType::f32, Device::cpu);
    CHECK(largest_difference(apply({kind, Normalisation::row, one}, x), x) < 1e-6);
    // Equal points share one mean; points 50 deviations apart do not mix.
    const Tensor f = Tensor::from(std::vector<float>{0, 0, 0, 0, 50, 50}, {3, 2}, Device::cpu);
    const Tensor v = Tensor::from(std::vector<float>{1, 3, 8}, {1, 3, 1}, Device::cpu);
    const Tensor expected = Tensor::from(std::vector<float>{2, 2, 8}, {1, 3, 1}, Device::cpu);
    CHECK(largest_difference(apply({kind, Normalisation::row, f}, v), expected) < 1e-5);
  }
}

TEST_CASE("gaussian filter: many images at once are the same as one by one, and the first failure is reported") {
  const Tensor x = random_signal({3, 100, 2}, DType::f32, Device::cpu, 5);
  std::vector<Tensor> features;
  for (uint64_t n = 0; n < 3; ++n)
    features.push_back(bilateral_features(textured_image(10, DType::f32, Device::cpu, n), 0, 5, 9));
  const GaussianFilters filters = build_each(GaussianKind::permutohedral, Normalisation::row, features);
  const Tensor together = full_like(x, 0), alone = full_like(x, 0);
  apply_each(filters, true, x, together);
  for (int64_t n = 0; n < 3; ++n)
    GaussianFilter(GaussianKind::permutohedral, Normalisation::row, features[n]).apply(n, true, x, alone);
  CHECK(same_bits(together, alone));
  CHECK_REFUSED(apply_each({filters[0], filters[1]}, false, x, together), "2 filters for the 3");
  features[1] = full({100, 5}, 1e7, DType::f32, Device::cpu);
  CHECK_REFUSED(build_each(GaussianKind::permutohedral, Normalisation::row, features), "too small");
}

TEST_CASE("gaussian filter: bad input is an error that says what") {
  const Tensor image = textured_image(4, DType::f32, Device::cpu, 1);
  CHECK_REFUSED(spatial_features(4, 4, 0, DType::f32, Device::cpu), "theta = 0 must be positive");
  CHECK_REFUSED(bilateral_features(image, 0, 3, -1), "theta = -1 must be positive");
  CHECK_REFUSED(bilateral_features(image.reshape({1, 4, 12, 1}), 0, 3, 3), "[N, H, W, 3]");
  CHECK_REFUSED(bilateral_features(image, 1, 3, 3), "no image 1");
  CHECK_REFUSED(build_lattice(full({4, 7}, 0, DType::f32, Device::cpu)), "1..6");
  CHECK_REFUSED(build_lattice(full({4, 2}, 1e7, DType::f32, Device::cpu)), "too small");
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_REFUSED(build_lattice(full({4, 2}, nan, DType::f32, Device::cpu)), "not finite");
  CHECK(parse<GaussianKind>("exact") == GaussianKind::exact);
  CHECK_REFUSED(parse<GaussianKind>("magic"), "choose permutohedral or exact");
  const GaussianFilter filter(GaussianKind::permutohedral, Normalisation::row, bilateral_features(image, 0, 3, 3));
  const Tensor wrong = full({1, 15, 1}, 0, DType::f32, Device::cpu),
               right = full({1, 16, 1}, 0, DType::f32, Device::cpu);
  CHECK_REFUSED(filter.apply(0, false, wrong, wrong), "[1, 15, 1]");
  CHECK_REFUSED(filter.apply(1, false, right, right), "image 1");
  CHECK_REFUSED(filter.apply(0, false, cast(right, DType::f64), cast(right, DType::f64)), "f64");
}

}  // namespace
