/// The permutohedral lattice: its invariants, its forms, how near it is to exact, its transpose.
#include <cmath>
#include <cstring>
#include <limits>
#include <set>
#include <tuple>

#include "expect.h"
#include "filtered.h"
#include "kernel_cases.h"

namespace {

using namespace filtered;
using kernel_cases::same_bits;

Tensor raw_lattice(const Lattice& l, bool transpose, const Tensor& x) {
  const Tensor y = full_like(x, std::numeric_limits<double>::quiet_NaN());
  backend(x.device()).lattice_gaussian(l, {.image = 0, .transpose = transpose, .before = {}, .after = {}}, x, y);
  return y;
}

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
    const Tensor x = random_signal({1, l.points, 1}, DType::f32, Device::reference, 3);
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
        for (int64_t k = 0; k + 1 < l.corners(); ++k) {
          int steps = 0;
          for (int64_t axis = 0; axis <= d; ++axis)
            steps += along[axis][2 * int64_t(vertex[k * n + i]) + 1] == int32_t(vertex[(k + 1) * n + i]);
          CHECK(steps == (k == d ? 0 : 1));  // none from one copy to the other
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
                        signal = random_signal({1, n, 1}, dtype, Device::cpu, 8).to_vector();
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

TEST_CASE("lattice: the second copy has its axes in reverse") {
  // On a line they are two, which step from one vertex to the next in opposite directions.
  std::vector<double> places;
  for (int i = 0; i < 200; ++i) places.push_back(0.1 * i);
  const Lattice l = build_lattice(Tensor::from(places, {200, 1}, Device::cpu), true).unpacked();
  REQUIRE(l.copies == 2);
  const auto vertex = l.vertex.to_vector();
  const auto along_first = neighbours(l, 0), along_last = neighbours(l, 1);
  const auto direction = [&](const std::vector<int32_t>& along, int64_t corner) {
    const auto v = int64_t(vertex[corner * 200 + 100]);
    REQUIRE(along[2 * v + 1] < l.vertices);
    return along[2 * v + 1] > v ? 1 : -1;
  };
  CHECK(direction(along_first, 0) == -direction(along_last, 0));
  CHECK(direction(along_first, 0) == -direction(along_first, 2));
  CHECK(direction(along_last, 0) == -direction(along_last, 2));
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
      Tensor x = random_signal({1, size * size, 2}, DType::f64, Device::cpu, seed);
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
  const Tensor a = random_signal({1, size * size, 2}, DType::f64, Device::cpu, 1);
  const Tensor b = random_signal({1, size * size, 2}, DType::f64, Device::cpu, 2);
  for (const Device device : {Device::reference, Device::cpu}) {
    const Lattice here = l.to(device);
    const Tensor ad = a.to(device), bd = b.to(device);
    const double left = dot(raw_lattice(here, false, ad), bd);
    CHECK(std::abs(left - dot(ad, raw_lattice(here, true, bd))) < 1e-10 * std::abs(left));
    CHECK(std::abs(left - dot(ad, raw_lattice(here, false, bd))) > 1e-7 * std::abs(left));
    const Lattice bridged = build_lattice(f, true).to(device);
    REQUIRE(bridged.copies == 2);
    const double both = dot(raw_lattice(bridged, false, ad), bd);
    CHECK(std::abs(both - dot(ad, raw_lattice(bridged, true, bd))) < 1e-10 * std::abs(both));
    CHECK(std::abs(both - dot(ad, raw_lattice(bridged, false, bd))) > 1e-7 * std::abs(both));
    CHECK(std::abs(both - left) > 1e-3 * std::abs(left));
  }
}

TEST_CASE("lattice: bridged and of one copy, it is its own transpose") {
  const int64_t size = 128;
  const Tensor f = bilateral_features(textured_image(size, DType::f64, Device::cpu, 9), 0, 40, 3);
  const Lattice l = build_lattice(f, true);
  REQUIRE(l.copies == 1);
  const Tensor a = random_signal({1, size * size, 1}, DType::f64, Device::cpu, 1);
  const Tensor b = random_signal({1, size * size, 1}, DType::f64, Device::cpu, 2);
  const double left = dot(raw_lattice(l, false, a), b);
  for (const bool transpose : {false, true})
    CHECK(std::abs(left - dot(a, raw_lattice(l, transpose, b))) < 1e-10 * std::abs(left));
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

}  // namespace
