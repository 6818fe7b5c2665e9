/// Where points lie in the permutohedral lattice: the simplex that encloses each, its vertices as integer keys, and the
/// point's weights there.  Source: Adams, Baek & Davis 2010, section 3.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <type_traits>

namespace tensor {

__extension__ using WideKey = unsigned __int128;

/// How a vertex's coordinates (the last left out: all sum to 0) are packed into one integer, so that keys are ordered
/// as the coordinates are and added as they are. Each coordinate has its own field, as wide as the points need.
template <class Key, int D>
struct KeyLayout {
  /// How far beyond the points' coordinates keys go: corners, bridges on bridges four times, and neighbours of those.
  static constexpr int kMargin = 6 * (D + 1);
  int shift[D];
  int bits = 0;   ///< of all fields together
  Key origin{0};  ///< the key of the vertex whose coordinates are 0
  /// Moving from one vertex of a simplex to the next, or from a vertex to its neighbour along axis i, adds 1 to every
  /// coordinate and takes D + 1 from coordinate i; i = D takes from the coordinate left out.
  Key along[D + 1];

  /// low, high: the extremes of the points' coordinates on the lattice's hyperplane.
  template <class T>
  KeyLayout(const T* low, const T* high) {
    for (int i = 0; i < D; ++i) {
      const auto from = int64_t(std::floor(low[i])) - kMargin, to = int64_t(std::ceil(high[i])) + kMargin;
      shift[i] = bits;
      bits += std::bit_width(uint64_t(to - from));
      if (fits()) origin += Key(-from) << shift[i];
    }
    if (!fits()) return;
    Key ones{0};
    for (int i = 0; i < D; ++i) ones += Key(1) << shift[i];
    for (int i = 0; i < D; ++i) along[i] = ones - (Key(D + 1) << shift[i]);
    along[D] = ones;
  }
  bool fits() const { return bits < int(8 * sizeof(Key)); }
};

/// Locates kLanes points at a time, so that the arithmetic runs in vectors.
template <class T, int D>
struct PointLocator {
  static constexpr int kLanes = 16;
  using Integer = std::conditional_t<sizeof(T) == 4, int32_t, int64_t>;
  typedef T Reals __attribute__((vector_size(sizeof(T) * kLanes)));
  typedef Integer Integers __attribute__((vector_size(sizeof(T) * kLanes)));
  /// Coordinates stay below this, so that D of them fit a WideKey.
  static constexpr T kLargest = T((1 << 20) - KeyLayout<WideKey, D>::kMargin - 2);

  Reals elevated[D + 1], weight[D + 1];  ///< coordinates on the hyperplane; barycentric weights of vertex k
  T scale[D];

  /// Features count `stretch` times.
  explicit PointLocator(double stretch) {
    const T deviation = T(stretch * std::sqrt(2.0 / 3.0) * (D + 1));
    for (int i = 0; i < D; ++i) scale[i] = T(1.0 / std::sqrt(double(i + 2) * (i + 1)) * deviation);
  }

  /// x: D features a point, `count` <= kLanes points; fills `elevated`, their coordinates on the hyperplane where all
  /// sum to 0. Lanes beyond count repeat the last point.
  void elevate(const T* x, int count) {
    Reals feature[D]{}, sum{};
    for (int l = 0; l < kLanes; ++l)
      for (int j = 0; j < D; ++j) feature[j][l] = x[(l < count ? l : count - 1) * D + j];
    for (int j = D; j > 0; --j) {
      const Reals f = feature[j - 1] * scale[j - 1];
      elevated[j] = sum - T(j) * f;
      sum += f;
    }
    elevated[0] = sum;
  }

  /// Of the elevated points: key[lane][k], vertex k of each one's simplex, and `weight`.
  template <class Key>
  void locate(const KeyLayout<Key, D>& layout, Key (*key)[D + 1]) {
    // The nearest remainder-0 vertex coordinate by coordinate, and the order of what is left over.
    const T magic = sizeof(T) == 4 ? T(12582912.0) : T(6755399441055744.0);  // 1.5 * 2^23 (2^52): adding it rounds
    const T inverse = T(1) / T(D + 1);
    Reals remainder[D + 1], sum{};
    Integers rank[D + 1] = {};
    for (int i = 0; i <= D; ++i) {
      const Reals rounded = (elevated[i] * inverse + magic) - magic;
      remainder[i] = rounded * T(D + 1);
      sum += rounded;
    }
    for (int i = 0; i < D; ++i)
      for (int j = i + 1; j <= D; ++j) {
        const Integers less = elevated[i] - remainder[i] < elevated[j] - remainder[j];  // -1 where true
        rank[i] -= less;
        rank[j] += less + 1;
      }
    // Off the hyperplane (sum != 0): the coordinates of extreme rank move by one period.
    const Integers off = __builtin_convertvector(sum, Integers);
    for (int i = 0; i <= D; ++i) {
      rank[i] += off;
      const Integers shift = ((rank[i] < 0) & Integer(D + 1)) - ((rank[i] > Integer(D)) & Integer(D + 1));
      rank[i] += shift;
      remainder[i] += __builtin_convertvector(shift, Reals);
      elevated[i] = (elevated[i] - remainder[i]) * inverse;
    }
    // From vertex k to k + 1 it is a step along the axis of rank D - k, and what is left over there tells the weights.
    Reals left[D + 1];
    for (int l = 0; l < kLanes; ++l) {
      Key at = layout.origin, step[D + 1];
      for (int i = 0; i <= D; ++i) {
        const auto k = D - rank[i][l];
        step[k] = layout.along[i];
        left[k][l] = elevated[i][l];
        if (i < D) at += Key(int64_t(remainder[i][l])) << layout.shift[i];
      }
      for (int k = 0; k <= D; at += step[k++]) key[l][k] = at;
    }
    for (int k = 1; k <= D; ++k) weight[k] = left[k] - left[k - 1];
    weight[0] = left[0] + (T(1) - left[D]);
  }
};

}  // namespace tensor
