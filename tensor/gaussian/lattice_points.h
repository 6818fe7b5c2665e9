/// Where points lie in the permutohedral lattice: the simplex that encloses each, its vertices as integer keys, and the
/// point's weights there.  Source: Adams, Baek & Davis 2010, section 3.
#pragma once
#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <utility>

namespace tensor {

__extension__ using WideKey = unsigned __int128;

/// The D numbers that tell a vertex, of its coordinates x in units of D + 1: whole, since coordinates are equal modulo
/// D + 1, and small, since neighbouring coordinates share most of the features and colours are near each other:
/// x_i - x_i+1. In place of i = 2 (i = 0 of D < 3), and at the end, stands the sum of those of even i. Where D is odd
/// it is odd for every other vertex of a simplex, so that half of a simplex's corners have their vertices elsewhere
/// than the other half: two threads can add to them without sharing a line of the cache.
template <int D, class X>
void key_numbers(const X* x, X* number) {
  X even{};
  for (int i = 0; i < D; ++i) {
    number[i] = x[i] - x[i + 1];
    if (i % 2 == 0) even += number[i];
  }
  number[D < 3 ? 0 : 2] = number[D - 1];
  number[D - 1] = even;
}

/// How a vertex is packed into one integer: its numbers, each in a field as wide as the points need, the last one the
/// most significant, and before it the number of the copy.
template <class Key, int D>
struct KeyLayout {
  /// How far beyond the points' numbers keys go: corners (D + 1) / 2, bridges on bridges four times and neighbours of
  /// those 5, a shifted copy 2, rounding.
  static constexpr int kMargin = 12;
  int shift[D];
  int bits = 0;   ///< of all fields together
  Key origin{0};  ///< the key of the vertex whose coordinates are 0
  Key copy{0};    ///< from a vertex to that of the next copy of the lattice
  /// Moving from one vertex of a simplex to the next, or from a vertex to its neighbour along axis i, adds 1 to every
  /// coordinate and takes D + 1 from coordinate i: it adds this to the key.
  Key along[D + 1];

  /// low, high: the extremes of the points' numbers, which are not whole.
  template <class T>
  KeyLayout(const T* low, const T* high, int copies) {
    for (int i = 0; i < D; ++i) {
      const auto from = int64_t(std::floor(low[i])) - kMargin, to = int64_t(std::ceil(high[i])) + kMargin;
      shift[i] = bits;
      bits += std::bit_width(uint64_t(to - from));
      if (fits()) origin += Key(-from) << shift[i];
    }
    const int copies_at = std::exchange(bits, bits + copies - 1);
    if (!fits()) return;
    if (copies > 1) copy = Key(1) << copies_at;
    for (int i = 0; i <= D; ++i) {
      int x[D + 1] = {}, number[D];
      x[i] = -1;
      key_numbers<D>(x, number);
      along[i] = 0;
      for (int j = 0; j < D; ++j) along[i] += Key(number[j]) << shift[j];
    }
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
  static constexpr T kLargest = T(1 << 20);

  Reals elevated[D + 1], weight[D + 1];  ///< coordinates on the hyperplane; barycentric weights of vertex k
  T scale[D], shift[D + 1];

  /// Features count `stretch` times; of the second copy (copy = 1), every other coordinate is shifted by half a period.
  explicit PointLocator(double stretch, int copy = 0) {
    for (int i = 0; i <= D; ++i) shift[i] = T(0.5 * copy * (i % 2 * (D + 1) - (D + 1) / 2));
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
      elevated[j] = sum - T(j) * f + shift[j];
      sum += f;
    }
    elevated[0] = sum + shift[0];
  }

  /// Of the elevated points: key[k][lane], vertex k of each one's simplex, and `weight`.
  template <class Key>
  void locate(const KeyLayout<Key, D>& layout, Key (*key)[kLanes]) {
    // The nearest remainder-0 vertex coordinate by coordinate, in units of D + 1, and the order of what is left over.
    const T magic = sizeof(T) == 4 ? T(12582912.0) : T(6755399441055744.0);  // 1.5 * 2^23 (2^52): adding it rounds
    const T inverse = T(1) / T(D + 1);
    Reals nearest[D + 1], sum{};
    Integers rank[D + 1] = {};
    for (int i = 0; i <= D; ++i) {
      nearest[i] = (elevated[i] * inverse + magic) - magic;
      sum += nearest[i];
    }
    for (int i = 0; i < D; ++i)
      for (int j = i + 1; j <= D; ++j) {
        const Integers less = elevated[i] - nearest[i] * T(D + 1) < elevated[j] - nearest[j] * T(D + 1);  // -1 if true
        rank[i] -= less;
        rank[j] += less + 1;
      }
    // Off the hyperplane (sum != 0): the coordinates of extreme rank move by one period.
    const Integers off = __builtin_convertvector(sum, Integers);
    for (int i = 0; i <= D; ++i) {
      rank[i] += off;
      const Integers periods = (rank[i] > Integer(D)) - (rank[i] < 0);
      rank[i] += periods * Integer(D + 1);
      nearest[i] += __builtin_convertvector(periods, Reals);
      elevated[i] = (elevated[i] - nearest[i] * T(D + 1)) * inverse;
    }
    // From vertex k to k + 1 it is a step along the axis of rank D - k, and what is left over there tells the weights.
    Reals numbers[D];
    key_numbers<D>(nearest, numbers);
    Integer number[D][kLanes], ranks[D + 1][kLanes];
    for (int i = 0; i < D; ++i) {
      const Integers whole = __builtin_convertvector(numbers[i], Integers);
      std::memcpy(number[i], &whole, sizeof(whole));
    }
    std::memcpy(ranks, rank, sizeof(ranks));
    for (int l = 0; l < kLanes; ++l) key[0][l] = layout.origin;
    for (int i = 0; i < D; ++i)
      for (int l = 0, at = layout.shift[i]; l < kLanes; ++l) key[0][l] += Key(number[i][l]) << at;
    for (int k = 0; k < D; ++k) {
      for (int l = 0; l < kLanes; ++l) key[k + 1][l] = key[k][l];
      for (int i = 0; i <= D; ++i) {
        const Key step = layout.along[i];
        for (int l = 0; l < kLanes; ++l) key[k + 1][l] += ranks[i][l] == D - k ? step : Key(0);
      }
    }
    Reals left[D + 1] = {};
    for (int k = 0; k <= D; ++k)
      for (int i = 0; i <= D; ++i) left[k] = rank[i] == Integer(D - k) ? elevated[i] : left[k];
    for (int k = 1; k <= D; ++k) weight[k] = left[k] - left[k - 1];
    weight[0] = left[0] + (T(1) - left[D]);
  }
};

}  // namespace tensor
