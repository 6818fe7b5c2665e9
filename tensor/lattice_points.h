/// Where points lie in the permutohedral lattice: the simplex that encloses each, its vertices as packed keys, and the
/// point's weights there.  Source: Adams, Baek & Davis 2010, section 3.
#pragma once
#include <cmath>
#include <cstdint>

namespace tensor {

/// Coordinates of a lattice vertex, the last left out (all sum to 0): 21 bits each, biased, three in each word.
struct VertexKey {
  static constexpr int kBits = 21, kPerWord = 3;
  static constexpr int64_t kBias = int64_t(1) << (kBits - 1);
  uint64_t low = 0, high = 0;

  bool operator==(const VertexKey&) const = default;
  VertexKey operator+(const VertexKey& o) const { return {low + o.low, high + o.high}; }
  VertexKey operator-(const VertexKey& o) const { return {low - o.low, high - o.high}; }
  /// `value` in the place of coordinate i, the others 0.
  static VertexKey at(int i, int64_t value) {
    VertexKey key;
    (i < kPerWord ? key.low : key.high) = uint64_t(value) << (kBits * (i % kPerWord));
    return key;
  }
  uint64_t hash() const {
    uint64_t h = low * 0x9e3779b97f4a7c15u ^ (high + 0x7f4a7c15u) * 0xc2b2ae3d27d4eb4fu;
    h ^= h >> 29;
    return (h * 0xbf58476d1ce4e5b9u) >> 20;
  }
};

/// Moving from one vertex of a simplex to the next, or from a vertex to its neighbour along axis i, adds 1 to every
/// coordinate and takes d + 1 from coordinate i. axis_step(D)[i] is that step; i = d takes from the coordinate left
/// out.
template <int D>
struct VertexSteps {
  VertexKey along[D + 1];
  VertexSteps() {
    VertexKey ones;
    for (int i = 0; i < D; ++i) ones = ones + VertexKey::at(i, 1);
    for (int i = 0; i < D; ++i) along[i] = ones - VertexKey::at(i, D + 1);
    along[D] = ones;
  }
};

/// Locates kLanes points at a time, so that the arithmetic runs in vectors.
template <class T, int D>
struct PointLocator {
  static constexpr int kLanes = 16;
  /// Features may not be so large that a coordinate leaves the 21 bits of a key.
  static constexpr T kLargest = T(VertexKey::kBias - 4 * (D + 1));

  alignas(64) T elevated[D + 1][kLanes];
  alignas(64) T remainder[D + 1][kLanes];
  alignas(64) T rank[D + 1][kLanes];
  VertexKey first[kLanes];  ///< the remainder-0 vertex
  int axis[kLanes][D + 1];  ///< the axis stepped along from vertex k to k + 1
  T weight[kLanes][D + 1];  ///< barycentric, of vertex k
  T scale[D];

  PointLocator() {
    const T deviation = T(std::sqrt(2.0 / 3.0) * (D + 1));
    for (int i = 0; i < D; ++i) scale[i] = T(1.0 / std::sqrt(double(i + 2) * (i + 1)) * deviation);
  }

  /// x: D features a point, `count` <= kLanes points. False when one is too large or not finite.
  bool locate(const T* x, int count) {
    // Elevated to the hyperplane whose coordinates sum to 0.
    alignas(64) T sum[kLanes] = {};
    for (int j = D; j > 0; --j)
      for (int l = 0; l < kLanes; ++l) {
        const T f = (l < count ? x[l * D + j - 1] : T(0)) * scale[j - 1];
        elevated[j][l] = sum[l] - T(j) * f;
        sum[l] += f;
      }
    bool inside = true;
    for (int l = 0; l < kLanes; ++l) elevated[0][l] = sum[l];
    for (int i = 0; i <= D; ++i)
      for (int l = 0; l < kLanes; ++l) inside &= std::abs(elevated[i][l]) < kLargest;
    if (!inside) return false;

    // The nearest remainder-0 vertex coordinate by coordinate, and the order of what is left over.
    const T magic = sizeof(T) == 4 ? T(12582912.0) : T(6755399441055744.0);  // 1.5 * 2^23 (2^52): adding it rounds
    const T inverse = T(1) / T(D + 1);
    for (int l = 0; l < kLanes; ++l) sum[l] = 0;
    for (int i = 0; i <= D; ++i)
      for (int l = 0; l < kLanes; ++l) {
        const T rounded = (elevated[i][l] * inverse + magic) - magic;
        remainder[i][l] = rounded * T(D + 1);
        sum[l] += rounded;
        rank[i][l] = 0;
      }
    for (int i = 0; i < D; ++i)
      for (int j = i + 1; j <= D; ++j)
        for (int l = 0; l < kLanes; ++l) {
          const T less = elevated[i][l] - remainder[i][l] < elevated[j][l] - remainder[j][l] ? T(1) : T(0);
          rank[i][l] += less;
          rank[j][l] += T(1) - less;
        }
    // Off the hyperplane (sum != 0): the coordinates of extreme rank move by one period.
    for (int i = 0; i <= D; ++i)
      for (int l = 0; l < kLanes; ++l) {
        const T r = rank[i][l] + sum[l];
        const T shift = r < T(0) ? T(D + 1) : r >= T(D + 1) ? T(-(D + 1)) : T(0);
        rank[i][l] = r + shift;
        remainder[i][l] += shift;
        elevated[i][l] = (elevated[i][l] - remainder[i][l]) * inverse;
      }
    for (int l = 0; l < count; ++l) {
      VertexKey key;
      T by_step[D + 1];
      for (int i = 0; i <= D; ++i) {
        const int step = D - int(rank[i][l]);
        axis[l][step] = i;
        by_step[step] = elevated[i][l];
        if (i < D) key = key + VertexKey::at(i, int64_t(remainder[i][l]) + VertexKey::kBias);
      }
      first[l] = key;
      for (int k = 1; k <= D; ++k) weight[l][k] = by_step[k] - by_step[k - 1];
      weight[l][0] = by_step[0] + (T(1) - by_step[D]);
    }
    return true;
  }
};

}  // namespace tensor
