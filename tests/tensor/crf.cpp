/// The Gaussian filters: the lattice's own invariants, lattice against exact, transposes, devices, threads, awkward
/// input.
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <tuple>

#include "expect.h"
#include "tensor/gaussian_filter.h"
#include "tensor/ops.h"
#include "tests/difference.h"

namespace {

using namespace tensor;

/// A picture with a bright disc on a shaded ground, stripes and noise: edges, slopes and texture. [1,size,size,3],
/// 0..255.
Tensor textured_image(int64_t size, DType dtype, Device device, uint64_t seed) {
  std::vector<double> values;
  const RandomKey noise{seed, 1, 0};
  const double cy = size * (0.3 + 0.4 * uniform({seed, 2, 0}, 0)), cx = size * (0.3 + 0.4 * uniform({seed, 2, 0}, 1));
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x) {
      const bool inside = std::hypot(double(y) - cy, double(x) - cx) < 0.25 * double(size);
      for (int c = 0; c < 3; ++c) {
        const double shade = 90 - 25 * c + 60.0 * double(x + y) / double(2 * size) + 8 * std::sin(0.7 * double(x - y));
        const double grain = 6 * normal(noise, uint64_t((y * size + x) * 3 + c));
        values.push_back(std::floor(std::clamp(shade + (inside ? 55 - 20 * c : 0) + grain, 0.0, 255.0)));
      }
    }
  return cast(Tensor::from(values, {1, size, size, 3}, device), dtype);
}

Tensor random_values(const Shape& shape, DType dtype, Device device, uint64_t seed) {
  return cast(uniform({seed, 3, 0}, shape, 0, 1, DType::f64, Device::reference).to(device), dtype);
}

Tensor apply(const GaussianFilter& filter, const Tensor& x, bool transpose = false) {
  const Tensor y = full_like(x, std::numeric_limits<double>::quiet_NaN());
  for (int64_t n = 0; n < x.shape()[0]; ++n) filter.apply(n, transpose, x, y);
  return y;
}

Tensor raw_lattice(const Lattice& l, bool transpose, const Tensor& x) {
  const Tensor y = full_like(x, std::numeric_limits<double>::quiet_NaN());
  backend(x.device()).lattice_gaussian(l, {.image = 0, .transpose = transpose, .before = {}, .after = {}}, x, y);
  return y;
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), size_t(a.bytes())) == 0;
}

struct Threads {
  explicit Threads(int n) : before(threads()) { set_threads(n); }
  ~Threads() { set_threads(before); }
  int before;
};

TEST_CASE("lattice: weights are barycentric, corners and neighbours are consistent, for every dimension") {
  std::vector<std::tuple<int64_t, int64_t, bool>> cases{{3, 1 << 15, true}};
  for (int64_t d = 1; d <= Lattice::kMaxDimensions; ++d)
    for (const bool bridged : {false, true}) cases.emplace_back(d, 203, bridged);
  for (const auto& [d, n, bridged] : cases) {
    CAPTURE(d);
    CAPTURE(n);
    CAPTURE(bridged);
    const Tensor f = uniform({7, uint32_t(d), 0}, {n, d}, -9, 9, DType::f64, Device::cpu);
    const Lattice l = build_lattice(f, bridged).unpacked();
    const auto weight = l.weight.to_vector(), vertex = l.vertex.to_vector();
    CHECK(l.copies == (bridged && n < 1 << 14 ? 2 : 1));
    std::vector<std::set<double>> column(l.corners());
    std::set<double> first_weights;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t copy = 0; copy < l.copies; ++copy) {
        double total = 0;
        for (int64_t k = copy * l.axes(); k < (copy + 1) * l.axes(); ++k) {
          const double w = weight[k * n + i];
          CHECK(w > -1e-12);
          CHECK(vertex[k * n + i] < double(l.vertices));
          column[k].insert(vertex[k * n + i]);
          total += w;
        }
        CHECK(std::abs(total - 1) < (bridged ? 1e-4 : 1e-12));  // rounded where bridged
        first_weights.insert(weight[copy * l.axes() * n + i]);
      }
    CHECK(double(first_weights.size()) > 0.8 * double(n * l.copies));  // the copies lie elsewhere
    std::set<double> all;
    size_t apart = 0;
    for (const auto& c : column) {
      all.insert(c.begin(), c.end());
      apart += c.size();
    }
    CHECK(all.size() == apart);
    if (!bridged) CHECK(int64_t(all.size()) == l.vertices);
    // The one before the one after is oneself, and later ones are further on. A bridge has neighbours along two axes,
    // and of many points' ones that points touch and that weigh something.
    std::vector<double> total(l.vertices);
    for (size_t e = 0; e < vertex.size(); ++e) total[int64_t(vertex[e])] += weight[e];
    const double least = 0.15 * std::min(1.0, double(n) / double(all.size()));
    const auto carries = [&](int64_t v) {
      return v < l.vertices && (n < 1 << 15 || (all.count(double(v)) == 1 && total[v] >= least));
    };
    std::vector<int> axes(l.vertices);
    for (int64_t axis = 0; axis <= d; ++axis) {
      const std::vector<int32_t> neighbour = neighbours(l, axis);
      int64_t last = -1;
      for (int64_t v = 0; v < l.vertices; ++v) {
        const int64_t before = neighbour[2 * v], after = neighbour[2 * v + 1];
        axes[v] += carries(before) || carries(after);
        if (after == l.vertices) continue;
        CHECK(neighbour[2 * after] == v);
        CHECK(after > last);
        last = after;
      }
    }
    for (int64_t v = 0; v < l.vertices; ++v) CHECK((axes[v] >= 2 || all.count(double(v)) == 1));
  }
}

TEST_CASE("lattice: of 16384 points no bridge rests on bridges, of 32768 none on faint vertices") {
  for (const auto& [points, ratio] : {std::pair{1 << 14, 0.85}, {1 << 15, 0.95}}) {
    CAPTURE(points);
    const Tensor many = uniform({7, 3, 4}, {points, 3}, -50, 50, DType::f64, Device::cpu);
    const auto values = many.to_vector();
    const Tensor few =
        Tensor::from(std::vector<double>(values.begin(), values.end() - 3), {points - 1, 3}, Device::cpu);
    CHECK(std::abs(build_lattice(many).vertices - build_lattice(few).vertices) <= 4);
    const Lattice of_many = build_lattice(many, true), of_few = build_lattice(few, true);
    CHECK(of_many.vertices / of_many.copies < ratio * double(of_few.vertices / of_few.copies));
  }
}

TEST_CASE("lattice: bridged, it is finer and blurs twice where points touch few vertices, and is nearer to exact") {
  // A vertex for 2 points, or of 16384 for 5, decides.
  for (const auto& [n, spread, rounds] :
       {std::tuple{600, 3.0, 2}, {600, 12.0, 1}, {1 << 14, 9.0, 2}, {1 << 14, 18.0, 1}}) {
    CAPTURE(n);
    CAPTURE(spread);
    const Tensor f = uniform({7, 3, 6}, {n, 3}, -spread / 2, spread / 2, DType::f64, Device::cpu);
    const double touched = double(build_lattice(f).vertices) / double(n);
    CHECK((touched < (n < 1 << 14 ? 0.4 : 0.16)) == (rounds == 2));
    CHECK((touched > (n < 1 << 14 ? 0.5 : 0.2)) == (rounds == 1));
    CHECK(build_lattice(f, true).rounds == rounds);
    CHECK(build_lattice(f, true).copies == 2);
    CHECK(build_lattice(f).rounds == 1);
    CHECK(build_lattice(f).copies == 1);
  }
  const int64_t size = 40;
  for (const uint64_t seed : {1, 2, 3}) {
    const Tensor image = textured_image(size, DType::f64, Device::cpu, seed);
    const Tensor f = bilateral_features(image, 0, 80, 13);
    REQUIRE(build_lattice(f, true).rounds == 2);
    Tensor x = full({1, size * size, 1}, 0, DType::f64, Device::cpu);
    for (int64_t i = 0; i < size * size; ++i) x.data<double>()[i] = image.data<double>()[3 * i] > 130;
    for (const Normalisation normalisation : {Normalisation::row, Normalisation::symmetric}) {
      const auto error = [&](GaussianKind kind) {
        const auto y = apply({kind, normalisation, f}, x).to_vector();
        const auto exact = apply({GaussianKind::exact, normalisation, f}, x).to_vector();
        double squares = 0;
        for (size_t i = 0; i < y.size(); ++i) squares += (y[i] - exact[i]) * (y[i] - exact[i]);
        return std::sqrt(squares / double(y.size()));
      };
      CHECK(error(GaussianKind::bridged) < 0.01);
      CHECK(error(GaussianKind::bridged) < 0.75 * error(GaussianKind::permutohedral));
    }
  }
}

TEST_CASE("lattice: bridged, its corners are packed, unless its vertices are too many for that") {
  // Points two deviations apart, which share no vertex.
  const auto grid = [](int64_t side) {
    return map(Affine{.scale = 12, .shift = 0}, spatial_features(side, side, 3, DType::f32, Device::cpu));
  };
  const Lattice few = build_lattice(grid(50), true), published = build_lattice(grid(50)),
                many = build_lattice(grid(600), true);
  CHECK(few.packed.defined());
  CHECK(!few.vertex.defined());
  CHECK(!few.weight.defined());
  CHECK(!published.packed.defined());
  CHECK(many.vertices >= 1 << 20);
  CHECK(!many.packed.defined());
  const Lattice unpacked = few.unpacked();
  CHECK(!unpacked.packed.defined());
  CHECK(unpacked.bytes() > few.bytes());
  for (const Lattice& l : {few, many}) {
    const Tensor x = random_values({1, l.points, 1}, DType::f32, Device::reference, 3);
    const Tensor y = raw_lattice(l, false, x.to(Device::cpu));
    CHECK(same_bits(y, raw_lattice(l.to(Device::reference), false, x)));
    CHECK(same_bits(y, raw_lattice(l.unpacked(), false, x.to(Device::cpu))));
  }
}

TEST_CASE("lattice: from one vertex of a simplex to the next it is a step along an axis, which the links know") {
  const int64_t d = 5, n = 400;
  for (const DType dtype : {DType::f32, DType::f64})
    for (const bool bridged : {false, true}) {
      const Tensor f = uniform({7, 5, 2}, {n, d}, -1, 1, dtype, Device::cpu);
      const Lattice l = build_lattice(f, bridged).unpacked();
      const auto vertex = l.vertex.to_vector();
      std::vector<std::vector<int32_t>> along;
      for (int64_t axis = 0; axis <= d; ++axis) along.push_back(neighbours(l, axis));
      for (int64_t i = 0; i < n; ++i)
        for (int64_t k = 0; k < d; ++k) {
          int steps = 0;
          for (int64_t axis = 0; axis <= d; ++axis)
            steps += along[axis][2 * int64_t(vertex[k * n + i]) + 1] == int32_t(vertex[(k + 1) * n + i]);
          CHECK(steps == 1);
        }
    }
}

TEST_CASE(
    "lattice: points far away, which make the keys too long for a word, or for two, change no bit of the others") {
  for (const auto& [dtype, d, far, bridged] : {std::tuple{DType::f32, 5, 1e3, false},
                                               {DType::f32, 5, 1e3, true},
                                               {DType::f32, 6, 3e4, true},
                                               {DType::f64, 5, 3e4, false},
                                               {DType::f64, 6, 3e4, false},
                                               {DType::f64, 5, 3e4, true},
                                               {DType::f64, 6, 3e4, true}}) {
    CAPTURE(name(dtype));
    CAPTURE(d);
    CAPTURE(far);
    CAPTURE(bridged);
    const int64_t n = 150;
    const Tensor near = uniform({7, uint32_t(d), 1}, {n, d}, -1, 1, dtype, Device::cpu);
    std::vector<double> with_far = near.to_vector(),
                        signal = random_values({1, n, 1}, dtype, Device::cpu, 8).to_vector();
    const auto tensor = [&, type = dtype](const std::vector<double>& values, const Shape& shape) {
      return cast(Tensor::from(values, shape, Device::cpu), type);
    };
    const Tensor x = tensor(signal, {1, n, 1});
    for (const double at : {-far, far})
      for (int64_t i = 0; i < d; ++i) with_far.push_back(at);
    signal.insert(signal.end(), {1, 2});
    const Lattice alone = build_lattice(near, bridged);
    const Lattice together = build_lattice(tensor(with_far, {n + 2, d}), bridged);
    CHECK(alone.rounds == together.rounds);
    const Tensor y = raw_lattice(alone, false, x);
    const Tensor z = raw_lattice(together, false, tensor(signal, {1, n + 2, 1}));
    // More vertices leave fewer bits to what is packed.
    if (bridged) {
      for (int64_t i = 0; i < n; ++i) CHECK(std::abs(y.to_vector()[i] - z.to_vector()[i]) < 2e-5);
    } else {
      CHECK(std::memcmp(y.raw(), z.raw(), size_t(y.bytes())) == 0);
    }
    CHECK(sum(y).item() > sum(x).item());  // they do share vertices
  }
}

TEST_CASE("lattice: within 0.02 of the exact filter on textured crops, root mean square after normalisation") {
  const int64_t size = 40;
  double worst = 0, total = 0;
  int count = 0;
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    const Tensor image = textured_image(size, DType::f64, Device::cpu, seed);
    const std::vector<Tensor> features{spatial_features(size, size, 3, DType::f64, Device::cpu),
                                       bilateral_features(image, 0, 80, 13), bilateral_features(image, 0, 160, 3)};
    for (const Tensor& f : features) {
      Tensor x = random_values({1, size * size, 2}, DType::f64, Device::cpu, seed);
      for (int64_t i = 0; i < size * size; ++i) x.data<double>()[2 * i] = image.data<double>()[3 * i] > 130;
      const auto lattice = apply({GaussianKind::permutohedral, Normalisation::row, f}, x).to_vector();
      const auto exact = apply({GaussianKind::exact, Normalisation::row, f}, x).to_vector();
      double squares = 0;
      for (size_t i = 0; i < exact.size(); ++i) squares += (lattice[i] - exact[i]) * (lattice[i] - exact[i]);
      worst = std::max(worst, std::sqrt(squares / double(exact.size())));
      total += squares / double(exact.size());
      ++count;
    }
  }
  CHECK(worst <= 0.02);
  CHECK(worst > 1e-5);  // an approximation: were it exact, the comparison would compare a filter with itself
  CHECK(std::sqrt(total / count) <= 0.015);
}

TEST_CASE("lattice: <K a, b> = <a, K' b> with the axes reversed, and not without") {
  const int64_t size = 40;
  const Tensor f = bilateral_features(textured_image(size, DType::f64, Device::cpu, 5), 0, 20, 13);
  const Lattice l = build_lattice(f);
  const Tensor a = random_values({1, size * size, 2}, DType::f64, Device::cpu, 1);
  const Tensor b = random_values({1, size * size, 2}, DType::f64, Device::cpu, 2);
  for (const Device device : {Device::reference, Device::cpu}) {
    const Lattice here = l.to(device);
    const Tensor ad = a.to(device), bd = b.to(device);
    const double left = dot(raw_lattice(here, false, ad), bd);
    CHECK(std::abs(left - dot(ad, raw_lattice(here, true, bd))) < 1e-10 * std::abs(left));
    CHECK(std::abs(left - dot(ad, raw_lattice(here, false, bd))) > 1e-7 * std::abs(left));
    const Lattice bridged = build_lattice(f, true).to(device);  // its own transpose
    const double both = dot(raw_lattice(bridged, false, ad), bd);
    CHECK(std::abs(both - dot(ad, raw_lattice(bridged, true, bd))) < 1e-10 * std::abs(both));
    CHECK(std::abs(both - dot(ad, raw_lattice(bridged, false, bd))) < 1e-10 * std::abs(both));
    CHECK(std::abs(both - left) > 1e-3 * std::abs(left));
  }
}

TEST_CASE("gaussian filter: the transpose is the adjoint, normalised either way, exact or lattice") {
  const int64_t size = 20;
  const Tensor f = bilateral_features(textured_image(size, DType::f64, Device::cpu, 6), 0, 12, 20);
  const Tensor a = random_values({1, size * size, 3}, DType::f64, Device::cpu, 3);
  const Tensor b = random_values({1, size * size, 3}, DType::f64, Device::cpu, 4);
  for (const GaussianKind kind : kGaussianKinds)
    for (const Normalisation normalisation : {Normalisation::row, Normalisation::symmetric}) {
      CAPTURE(name(kind));
      CAPTURE(name(normalisation));
      const GaussianFilter filter(kind, normalisation, f);
      const double left = dot(apply(filter, a), b);
      CHECK(std::abs(left - dot(a, apply(filter, b, true))) < 1e-10 * std::abs(left));
    }
}

TEST_CASE("gaussian filter: rows sum to 1") {
  const int64_t size = 24;
  const Tensor f = bilateral_features(textured_image(size, DType::f64, Device::cpu, 8), 0, 10, 5);
  const Tensor ones = full({2, size * size, 1}, 1, DType::f64, Device::cpu);
  for (const GaussianKind kind : kGaussianKinds)
    CHECK(largest_difference(apply({kind, Normalisation::row, f}, ones), ones) < 1e-12);
}

TEST_CASE("gaussian filter: the cpu agrees with the reference, the lattice bit for bit") {
  for (const int64_t channels : {1, 2, 3, 4, 7}) {
    const int64_t size = channels == 1 ? 37 : 13;  // the larger has what is handed out before all is brought together
    CAPTURE(channels);
    for (const DType dtype : {DType::f32, DType::f64}) {
      const Tensor image = textured_image(size, dtype, Device::reference, 9);
      const Tensor f = bilateral_features(image, 0, 15, 9);
      const Tensor x = random_values({2, size * size, channels}, dtype, Device::reference, 5);
      for (const GaussianKind kind : {GaussianKind::permutohedral, GaussianKind::bridged}) {
        const GaussianFilter slow(kind, Normalisation::symmetric, f);
        const GaussianFilter fast(kind, Normalisation::symmetric, f.to(Device::cpu));
        for (const bool transpose : {false, true})
          CHECK(same_bits(apply(slow, x, transpose), apply(fast, x.to(Device::cpu), transpose)));
      }
      const GaussianFilter exact(GaussianKind::exact, Normalisation::symmetric, cast(f, DType::f64));
      const GaussianFilter exact_fast(GaussianKind::exact, Normalisation::symmetric, f.to(Device::cpu));
      CHECK(largest_difference(apply(exact_fast, x.to(Device::cpu)), apply(exact, cast(x, DType::f64))) <
            (dtype == DType::f32 ? 1e-5 : 1e-12));
    }
  }
}

TEST_CASE("lattice: bridged, of 16384 points it has one copy where they touch many vertices, of 32768 always") {
  for (const auto& [n, spread, copies] :
       {std::tuple{(1 << 14) - 1, 40.0, 2}, {1 << 14, 20.0, 2}, {1 << 14, 40.0, 1}, {1 << 15, 20.0, 1}}) {
    CAPTURE(n);
    CAPTURE(spread);
    const Tensor f = uniform({7, 3, 7}, {n, 3}, -spread / 2, spread / 2, DType::f64, Device::cpu);
    const double touched = double(build_lattice(f).vertices) / double(n);
    CHECK((touched < 1) == (spread < 30));
    CHECK((touched > 1.3) == (spread > 30));
    CHECK(build_lattice(f, true).copies == copies);
  }
}

TEST_CASE("gaussian filter: of 16384 points, whose lattice has one copy or two, the cpu's bits are the reference's") {
  const Tensor image = textured_image(128, DType::f32, Device::reference, 9);
  const Tensor x = random_values({1, 128 * 128, 2}, DType::f32, Device::reference, 5);
  for (const auto& [theta, copies] : {std::pair{3.0, 1}, {8.0, 2}}) {
    const Tensor f = bilateral_features(image, 0, 40, theta);
    REQUIRE(build_lattice(f, true).copies == copies);
    const GaussianFilter slow(GaussianKind::bridged, Normalisation::row, f);
    const GaussianFilter fast(GaussianKind::bridged, Normalisation::row, f.to(Device::cpu));
    CHECK(same_bits(apply(slow, x), apply(fast, x.to(Device::cpu))));
  }
}

TEST_CASE("gaussian filter: the same bits for any number of threads") {
  const int64_t size = 101;  // several chunks of points, the last one short
  const Tensor image = textured_image(size, DType::f32, Device::cpu, 10);
  const Tensor x = random_values({1, size * size, 1}, DType::f32, Device::cpu, 6);
  std::vector<Tensor> first;
  for (const int count : {1, 2, 3}) {
    const Threads scope(count);
    const Tensor f = bilateral_features(image, 0, 32, 3);
    std::vector<Tensor> now;
    for (const bool bridged : {false, true}) {
      const Lattice l = build_lattice(f, bridged).unpacked();
      now.insert(now.end(), {l.vertex, l.weight, l.linked});
      const GaussianKind kind = bridged ? GaussianKind::bridged : GaussianKind::permutohedral;
      now.push_back(apply({kind, Normalisation::row, f}, x));
    }
    const Tensor small = spatial_features(33, 33, 4, DType::f32, Device::cpu);
    const Tensor v = random_values({1, 33 * 33, 1}, DType::f32, Device::cpu, 7);
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

TEST_CASE("gaussian filter: bad input is an error that says what") {
  const Tensor image = textured_image(4, DType::f32, Device::cpu, 1);
  CHECK_THROWS_WITH_AS(spatial_features(4, 4, 0, DType::f32, Device::cpu),
                       doctest::Contains("theta = 0 must be positive"), Error);
  CHECK_THROWS_WITH_AS(bilateral_features(image, 0, 3, -1), doctest::Contains("theta = -1 must be positive"), Error);
  CHECK_THROWS_WITH_AS(bilateral_features(image.reshape({1, 4, 12, 1}), 0, 3, 3), doctest::Contains("[N, H, W, 3]"),
                       Error);
  CHECK_THROWS_WITH_AS(bilateral_features(image, 1, 3, 3), doctest::Contains("no image 1"), Error);
  CHECK_THROWS_WITH_AS(build_lattice(full({4, 7}, 0, DType::f32, Device::cpu)), doctest::Contains("1..6"), Error);
  CHECK_THROWS_WITH_AS(build_lattice(full({4, 2}, 1e7, DType::f32, Device::cpu)), doctest::Contains("too small"),
                       Error);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_THROWS_WITH_AS(build_lattice(full({4, 2}, nan, DType::f32, Device::cpu)), doctest::Contains("not finite"),
                       Error);
  const GaussianFilter filter(GaussianKind::permutohedral, Normalisation::row, bilateral_features(image, 0, 3, 3));
  const Tensor wrong = full({1, 15, 1}, 0, DType::f32, Device::cpu),
               right = full({1, 16, 1}, 0, DType::f32, Device::cpu);
  CHECK_THROWS_WITH_AS(filter.apply(0, false, wrong, wrong), doctest::Contains("[1, 15, 1]"), Error);
  CHECK_THROWS_WITH_AS(filter.apply(1, false, right, right), doctest::Contains("image 1"), Error);
  CHECK_THROWS_WITH_AS(filter.apply(0, false, cast(right, DType::f64), cast(right, DType::f64)),
                       doctest::Contains("f64"), Error);
}

}  // namespace
