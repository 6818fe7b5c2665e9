/// The lattice's keys: where points lie in them, and that there is room for what is built on that.
#include "tensor/gaussian/lattice_points.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

#include "expect.h"
#include "tensor/gaussian/lattice_links.h"
#include "tensor/random.h"

namespace {

using namespace tensor;

/// Points drawn at random, and the extremes of their key numbers.
template <int D>
struct Cloud {
  using Locator = PointLocator<float, D>;
  int64_t n;
  std::vector<float> x;
  float low[D], high[D];

  Cloud(int64_t n, double width, uint64_t seed) : n(n), x(n * D) {
    for (size_t i = 0; i < x.size(); ++i) x[i] = float(width * (uniform({seed, 9, D}, i) - 0.5));
    std::fill(low, low + D, 1e9f);
    std::fill(high, high + D, -1e9f);
    for_each_point(0, [&](const Locator& locator, int lane) {
      float e[D + 1], number[D];
      for (int i = 0; i <= D; ++i) e[i] = locator.elevated[i][lane] / float(D + 1);
      key_numbers<D>(e, number);
      for (int i = 0; i < D; ++i) {
        low[i] = std::min(low[i], number[i]);
        high[i] = std::max(high[i], number[i]);
      }
    });
  }
  template <class F>
  void for_each_point(int copy, const F& f) const {
    Locator locator(1, copy);
    for (int64_t p = 0; p < n; p += Locator::kLanes) {
      const int count = int(std::min<int64_t>(Locator::kLanes, n - p));
      locator.elevate(&x[p * D], count);
      for (int lane = 0; lane < count; ++lane) f(locator, lane);
    }
  }
};

/// Of every vertex of every point's simplex in both copies of the lattice, every field has room for so many steps.
template <int D>
void check_room(const Cloud<D>& cloud, int64_t steps) {
  const KeyLayout<uint64_t, D> layout(cloud.low, cloud.high, 2);
  REQUIRE(layout.fits());
  for (int copy = 0; copy < 2; ++copy)
    cloud.for_each_point(copy, [&](auto locator, int lane) {
      uint64_t key[D + 1][Cloud<D>::Locator::kLanes];
      locator.locate(layout, key);
      for (int k = 0; k <= D; ++k)
        for (int i = 0; i < D; ++i) {
          const int width = (i + 1 < D ? layout.shift[i + 1] : layout.bits - 1) - layout.shift[i];
          const auto field = int64_t(key[k][lane] >> layout.shift[i] & ((uint64_t(1) << width) - 1));
          const auto size = int64_t(std::ceil(cloud.high[i]) - std::floor(cloud.low[i])) + 2 * layout.kMargin;
          CHECK(field >= steps);
          CHECK(field <= size - steps);
        }
    });
}

TEST_CASE("lattice: keys have room for five steps from every corner, so that no number runs over into the next") {
  // Bridges on bridges four times, and neighbours of those.
  for (const double width : {0.0, 0.3, 4.0}) {
    CAPTURE(width);
    for (uint64_t seed = 1; seed <= 40; ++seed) {
      check_room(Cloud<1>(30, width, seed), 5);
      check_room(Cloud<2>(30, width, seed), 5);
      check_room(Cloud<5>(30, width, seed), 5);
      check_room(Cloud<6>(30, width, seed), 5);
    }
  }
}

TEST_CASE("lattice: a step along each axis in turn leads back, and each changes the last number's parity") {
  const float low[5] = {-9, -9, -9, -9, -9}, high[5] = {9, 9, 9, 9, 9};
  const KeyLayout<uint64_t, 5> layout(low, high, 1);
  uint64_t key = layout.origin;
  std::set<uint64_t> seen;
  for (int axis = 0; axis <= 5; ++axis) {
    const uint64_t before = key >> layout.shift[4];
    key += layout.along[axis];
    CHECK(((key >> layout.shift[4]) - before) % 2 == 1);
    seen.insert(key);
  }
  CHECK(key == layout.origin);
  CHECK(seen.size() == 6);
}

template <class Key>
void check_links(uint64_t seed) {
  std::set<Key> set;
  for (uint64_t i = 0; i < 500; ++i) set.insert(Key(1000 + 1500 * uniform({seed, 11, 0}, i)));
  Scratch<Key> keys(set.begin(), set.end());
  const int64_t words = link_words(int64_t(keys.size()));
  for (const int step : {1, 7, 300, -1, -40}) {
    std::vector<int32_t> before(words, -1), after(words, -1);
    link_neighbours(keys, Key(step), before.data(), after.data());
    for (int64_t v = 0; v < 32 * words; ++v) {
      const bool inside = v < int64_t(keys.size());
      CHECK(has_link(after.data(), v) == (inside && set.count(keys[v] + Key(step)) == 1));
      CHECK(has_link(before.data(), v) == (inside && set.count(keys[v] - Key(step)) == 1));
    }
  }
}

TEST_CASE("lattice: links are the keys that are a step apart, of keys of 32, 64 and 128 bits") {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    check_links<uint32_t>(seed);
    check_links<uint64_t>(seed);
    check_links<WideKey>(seed);
  }
}

}  // namespace
