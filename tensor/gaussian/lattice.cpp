/// Building the permutohedral lattice: locate every point, number the vertices, find their neighbours.
#include "tensor/gaussian/lattice.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <numeric>
#include <vector>

#include "tensor/machine/parallel.h"

namespace tensor {
namespace {

constexpr int kMaxAxes = int(Lattice::kMaxDimensions) + 1;

/// A vertex as one number: its first d coordinates, 21 bits each, 2^20 added so that none is negative. The last
/// coordinate follows from them, because all sum to 0.
__extension__ using Key = unsigned __int128;
constexpr int kBits = 21;
/// Coordinates of points stay below this, those of vertices and their neighbours then below 2^20.
constexpr double kLargest = (1 << (kBits - 1)) - 4 * kMaxAxes;

/// Numbers keys in the order in which they are first seen: a hash table with open addressing.
class VertexTable {
 public:
  int32_t number(Key key) {
    if (2 * keys_.size() >= slots_.size()) grow();
    int32_t& slot = slot_of(key);
    if (slot < 0) {
      slot = int32_t(keys_.size());
      keys_.push_back(key);
    }
    return slot;
  }
  /// Negative where the key has no number.
  int32_t find(Key key) const { return slots_[place_of(key)]; }
  const std::vector<Key>& keys() const { return keys_; }

 private:
  int bits_ = 12;
  std::vector<int32_t> slots_ = std::vector<int32_t>(size_t(1) << bits_, -1);
  std::vector<Key> keys_;

  size_t place_of(Key key) const {
    const uint64_t folded = uint64_t(key) ^ uint64_t(key >> 64) * 0x94d049bb133111eb;
    size_t at = (folded * 0x9e3779b97f4a7c15) >> (64 - bits_);
    while (slots_[at] >= 0 && keys_[slots_[at]] != key) at = (at + 1) & (slots_.size() - 1);
    return at;
  }
  int32_t& slot_of(Key key) { return slots_[place_of(key)]; }
  void grow() {
    slots_.assign(size_t(1) << ++bits_, -1);
    for (size_t i = 0; i < keys_.size(); ++i) slot_of(keys_[i]) = int32_t(i);
  }
};

/// Where points lie.
template <class T>
class Locator {
 public:
  /// From a vertex to the next one of a simplex, and from a vertex to the one after it along axis i, every coordinate
  /// grows by 1 and coordinate i falls by d + 1: the key grows by this.
  Key step[kMaxAxes];

  explicit Locator(int d) : d_(d) {
    // Splat, blur and slice together have variance 2/3 (d + 1)^2 along an axis of the lattice.
    const T deviation = T(std::sqrt(2.0 / 3.0) * (d + 1));
    for (int i = 0; i < d; ++i) {
      scale_[i] = T(1.0 / std::sqrt(double(i + 1) * (i + 2)) * deviation);
      origin_ |= Key(1) << (kBits * i + kBits - 1);
    }
    for (int i = 0; i <= d; ++i) {
      step[i] = 0;
      for (int j = 0; j < d; ++j) step[i] += Key(i == j ? -d : 1) << (kBits * j);
    }
  }

  /// feature: [d]. key[k], weight[k]: vertex k of the simplex around the point, which has remainder k, and the point's
  /// weight there. False when the point lies too far out.
  bool locate(const T* feature, Key* key, T* weight) const {
    // Onto the hyperplane of d + 1 coordinates whose sum is 0, with g_i = scale_i f_i:
    // x_j = sum_{i >= j} g_i - j g_{j-1}.
    T x[kMaxAxes], sum = 0;
    for (int j = d_; j > 0; --j) {
      const T g = feature[j - 1] * scale_[j - 1];
      x[j] = sum - T(j) * g;
      sum += g;
    }
    x[0] = sum;

    // The nearest point whose coordinates are whole multiples of d + 1, coordinate by coordinate, in that unit.
    const T inverse = T(1) / T(d_ + 1);
    int nearest[kMaxAxes], excess = 0;
    for (int i = 0; i <= d_; ++i) {
      if (!(std::abs(x[i]) < T(kLargest))) return false;
      nearest[i] = int(std::lrint(x[i] * inverse));
      excess += nearest[i];
    }
    // Ranks by what is left over, the largest first. Where the nearest point is off the hyperplane (excess != 0), the
    // coordinates of extreme rank move by one unit, and every rank with them.
    T left[kMaxAxes];
    int rank[kMaxAxes] = {};
    for (int i = 0; i <= d_; ++i) left[i] = x[i] - T(nearest[i]) * T(d_ + 1);
    for (int i = 0; i < d_; ++i)
      for (int j = i + 1; j <= d_; ++j) {
        const bool less = left[i] < left[j];
        rank[i] += less;
        rank[j] += !less;
      }
    int axis[kMaxAxes];  // axis[k]: the step that leads from vertex k to vertex k + 1
    for (int i = 0; i <= d_; ++i) {
      rank[i] += excess;
      const int move = (rank[i] < 0) - (rank[i] > d_);
      nearest[i] += move;
      axis[d_ - (rank[i] + move * (d_ + 1))] = i;
    }

    key[0] = origin_;
    for (int i = 0; i < d_; ++i) key[0] += Key(nearest[i] * (d_ + 1)) << (kBits * i);
    // Barycentric weights are differences of what is left over, in ascending order.
    T before = 0;
    for (int k = 0; k <= d_; ++k) {
      const T t = (x[axis[k]] - T(nearest[axis[k]]) * T(d_ + 1)) * inverse;
      weight[k] = t - before;
      before = t;
      if (k < d_) key[k + 1] = key[k] + step[axis[k]];
    }
    weight[0] += T(1) - before;
    return true;
  }

 private:
  int d_;
  T scale_[kMaxAxes];
  Key origin_ = 0;
};

template <class T>
Lattice build(const Tensor& features) {
  constexpr int64_t kBlock = 1 << 14, kGrain = 1 << 10;  // points whose keys are held at once; of a thread
  Lattice y;
  y.points = features.shape()[0], y.dimensions = features.shape()[1];
  const int64_t n = y.points, d = y.dimensions, axes = y.axes();
  y.vertex = Tensor({axes, n}, DType::i32, features.device());
  y.weight = Tensor({axes, n}, features.dtype(), features.device());
  const T* const feature = features.data<T>();
  int32_t* const vertex = y.vertex.data<int32_t>();
  T* const weight = y.weight.data<T>();

  // A table for each remainder: threads share none, and the numbers do not depend on them.
  const Locator<T> locator{int(d)};
  std::vector<VertexTable> tables(axes);
  std::vector<Key> keys(axes * std::min(n, kBlock));
  std::atomic<bool> inside{true};
  for (int64_t begin = 0; begin < n; begin += kBlock) {
    const int64_t count = std::min(n - begin, kBlock);
    parallel_for(count, kGrain, [&](int64_t first, int64_t last) {
      Key key[kMaxAxes] = {};
      T w[kMaxAxes];
      for (int64_t p = first; p < last; ++p) {
        if (!locator.locate(feature + (begin + p) * d, key, w)) inside = false;
        for (int64_t k = 0; k < axes; ++k) {
          keys[k * count + p] = key[k];
          weight[k * n + begin + p] = w[k];
        }
      }
    });
    check(inside, "lattice: a feature is not finite or beyond about 10^5 deviations: is a theta too small?");
    parallel_chunks(axes, [&](int64_t k) {
      for (int64_t p = 0; p < count; ++p) vertex[k * n + begin + p] = tables[k].number(keys[k * count + p]);
    });
  }

  std::vector<int32_t> start(axes + 1, 0);  // the first vertex of each remainder
  for (int64_t k = 0; k < axes; ++k) start[k + 1] = start[k] + int32_t(tables[k].keys().size());
  const int64_t vertices = y.vertices = start[axes];
  y.neighbour = Tensor({axes, 2, vertices}, DType::i32, features.device());
  int32_t* const neighbour = y.neighbour.data<int32_t>();
  std::fill(neighbour, neighbour + y.neighbour.size(), int32_t(vertices));
  parallel_chunks(axes, [&](int64_t k) {
    for (int64_t p = 0; p < n; ++p) vertex[k * n + p] += start[k];
    const int64_t next = (k + 1) % axes;  // a step along any axis adds 1 to the remainder
    for (size_t v = 0; v < tables[k].keys().size(); ++v)
      for (int64_t i = 0; i < axes; ++i) {
        const int32_t after = tables[next].find(tables[k].keys()[v] + locator.step[i]);
        if (after < 0) continue;
        neighbour[(2 * i + 1) * vertices + start[k] + int64_t(v)] = start[next] + after;
        neighbour[2 * i * vertices + start[next] + after] = start[k] + int32_t(v);
      }
  });
  return y;
}

}  // namespace

Lattice build_lattice(const Tensor& features) {
  const Shape& s = features.shape();
  check(s.rank() == 2 && s[0] >= 1 && s[1] >= 1 && s[1] <= Lattice::kMaxDimensions,
        "lattice: features {} must be [points, 1..{}]", s, Lattice::kMaxDimensions);
  check(s[0] * (s[1] + 1) < (int64_t(1) << 31), "lattice: {} points are too many", s[0]);
  check(features.device() != Device::cuda, "lattice: build it in host memory, then move it with to()");
  if (features.device() != Device::plan)
    return visit_float(features.dtype(), "lattice", [&]<class T>() { return build<T>(features); });
  Lattice y;
  y.points = y.vertices = s[0], y.dimensions = s[1];
  y.vertex = Tensor({y.axes(), s[0]}, DType::i32, Device::plan);
  y.weight = Tensor({y.axes(), s[0]}, features.dtype(), Device::plan);
  y.neighbour = Tensor({y.axes(), 2, s[0]}, DType::i32, Device::plan);
  return y;
}

int64_t Lattice::bytes() const {
  return vertex.bytes() + weight.bytes() + neighbour.bytes() + splat_start.bytes() + splat_corner.bytes();
}

Lattice Lattice::to(Device device) const {
  Lattice y = *this;
  y.vertex = vertex.to(device), y.weight = weight.to(device), y.neighbour = neighbour.to(device);
  if (device != Device::cuda) return y;
  std::vector<int32_t> start(vertices + 1, 0), corner(vertex.size());
  const int32_t* const v = vertex.data<int32_t>();
  for (int64_t e = 0; e < vertex.size(); ++e) ++start[v[e] + 1];
  std::partial_sum(start.begin(), start.end(), start.begin());
  std::vector<int32_t> place(start.begin(), start.end() - 1);
  for (int64_t e = 0; e < vertex.size(); ++e) corner[place[v[e]]++] = int32_t(e);
  y.splat_start = Tensor::from(start, {vertices + 1}, device);
  y.splat_corner = Tensor::from(corner, {vertex.size()}, device);
  return y;
}

}  // namespace tensor
