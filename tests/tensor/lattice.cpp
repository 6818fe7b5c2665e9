/// The permutohedral lattice: worked by hand on a line, its invariants, how near it is to exact, its transpose.
#include <cmath>
#include <cstring>
#include <set>

#include "expect.h"
#include "filtered.h"
#include "tests/difference.h"

namespace {

using namespace filtered;

TEST_CASE("lattice: on a line, points on the vertices, by hand") {
  // d = 1: x = (g, -g) with g = sqrt(2/3) 2 / sqrt(2) f, so vertices are sqrt(3) / 2 deviations apart. Both axes are
  // the line itself: [1/2, 1, 1/2] twice, divided by 1 + 1/2.
  std::vector<double> place;
  for (int i = -3; i <= 3; ++i) place.push_back(i * std::sqrt(3.0) / 2);
  const Lattice l = build_lattice(Tensor::from(place, {7, 1}, Device::cpu));
  const Tensor x = Tensor::from(std::vector<double>{0, 0, 0, 1, 0, 0, 0}, {1, 7, 1}, Device::cpu);
  const Tensor expected = Tensor::from(std::vector<double>{0, 0.25 / 1.5, 1 / 1.5, 1.5 / 1.5, 1 / 1.5, 0.25 / 1.5, 0},
                                       {1, 7, 1}, Device::cpu);
  CHECK(largest_difference(raw_lattice(l, false, x), expected) < 1e-12);
  // Halfway between two vertices each has weight 1/2.
  const Tensor halfway = Tensor::from(std::vector<double>{std::sqrt(3.0) / 4}, {1, 1}, Device::cpu);
  CHECK(build_lattice(halfway).vertices == 2);
  for (const double w : build_lattice(halfway).weight.to_vector()) CHECK(w == doctest::Approx(0.5));
}

TEST_CASE("lattice: weights are barycentric, corners and neighbours are consistent, for every dimension") {
  const int64_t n = 203;
  for (int64_t d = 1; d <= Lattice::kMaxDimensions; ++d) {
    CAPTURE(d);
    const Lattice l = build_lattice(uniform({7, uint32_t(d), 0}, {n, d}, -9, 9, DType::f64, Device::cpu));
    const auto weight = l.weight.to_vector(), vertex = l.vertex.to_vector(), neighbour = l.neighbour.to_vector();
    std::vector<std::set<double>> row(l.axes());
    for (int64_t i = 0; i < n; ++i) {
      double total = 0;
      for (int64_t k = 0; k < l.axes(); ++k) {
        CHECK(weight[k * n + i] > -1e-12);
        total += weight[k * n + i];
        row[k].insert(vertex[k * n + i]);
      }
      CHECK(std::abs(total - 1) < 1e-12);
    }
    // Every vertex is touched, by one row only: threads that splat a row each share none.
    std::set<double> all;
    size_t together = 0;
    for (const auto& vertices : row) {
      all.insert(vertices.begin(), vertices.end());
      together += vertices.size();
    }
    CHECK(all.size() == together);
    CHECK(int64_t(all.size()) == l.vertices);
    CHECK(*all.rbegin() == double(l.vertices - 1));
    // The one before the one after is oneself, and the other way.
    for (int64_t axis = 0; axis <= d; ++axis)
      for (int64_t v = 0; v < l.vertices; ++v)
        for (const int64_t side : {0, 1}) {
          const double* const of_axis = neighbour.data() + 2 * axis * l.vertices;
          const auto other = int64_t(of_axis[side * l.vertices + v]);
          if (other < l.vertices) CHECK(of_axis[(1 - side) * l.vertices + other] == double(v));
        }
  }
}

TEST_CASE(
    "lattice: from one vertex of a simplex to the next, and from the last to the first, it is a step along each axis") {
  const int64_t d = 5, n = 400;
  for (const DType dtype : {DType::f32, DType::f64}) {
    const Lattice l = build_lattice(uniform({7, 5, 2}, {n, d}, -1, 1, dtype, Device::cpu));
    const auto vertex = l.vertex.to_vector(), neighbour = l.neighbour.to_vector();
    for (int64_t i = 0; i < n; ++i) {
      std::set<int64_t> axes;
      for (int64_t k = 0; k <= d; ++k)
        for (int64_t axis = 0; axis <= d; ++axis)
          if (neighbour[(2 * axis + 1) * l.vertices + int64_t(vertex[k * n + i])] == vertex[(k + 1) % (d + 1) * n + i])
            axes.insert(axis);
      CHECK(int64_t(axes.size()) == d + 1);
    }
  }
}

TEST_CASE("lattice: points far away, at the ends of the keys, change no bit of the others") {
  for (const DType dtype : {DType::f32, DType::f64})
    for (const auto& row : {std::pair<int64_t, double>{1, 1e5}, {5, 1e3}, {5, 3e4}, {6, 3e4}}) {
      const int64_t d = row.first;
      const double far = row.second;
      CAPTURE(name(dtype));
      CAPTURE(d);
      CAPTURE(far);
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
      const Tensor y = raw_lattice(build_lattice(near), false, x);
      const Tensor z = raw_lattice(build_lattice(tensor(with_far, {n + 2, d})), false, tensor(signal, {1, n + 2, 1}));
      CHECK(std::memcmp(y.raw(), z.raw(), size_t(y.bytes())) == 0);
      CHECK(sum(y).item() > sum(x).item());  // they do share vertices
    }
}

TEST_CASE("lattice: near the exact filter on textured pictures, root mean square after normalisation") {
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
  const Tensor a = random_signal({1, size * size, 2}, DType::f64, Device::cpu, 1);
  const Tensor b = random_signal({1, size * size, 2}, DType::f64, Device::cpu, 2);
  const Lattice l = build_lattice(f);
  const double left = dot(raw_lattice(l, false, a), b);
  CHECK(std::abs(left - dot(a, raw_lattice(l, true, b))) < 1e-10 * std::abs(left));
  CHECK(std::abs(left - dot(a, raw_lattice(l, false, b))) > 1e-7 * std::abs(left));
}

}  // namespace
