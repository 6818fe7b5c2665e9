/// The corners of a lattice's points, in full or packed: vertex(e) and weight(e) of corner e = k points + p, vertex k
/// of point p's simplex.
#pragma once
#include <algorithm>
#include <bit>
#include <cstdint>

#include "tensor/gaussian/lattice.h"

namespace tensor {

template <class T>
struct FullCorners {
  const int32_t* vertices;
  const T* weights;

  int32_t vertex(int64_t e) const { return vertices[e]; }
  T weight(int64_t e) const { return weights[e]; }
};

/// A word a corner: the lowest `bits` are the vertex, the others the weight in steps of 2^(bits - 32).
template <class T>
struct PackedCorners {
  /// Fewer leave weights that f32 does not hold, more leave steps that are coarser than 2^-12.
  static constexpr int kLeastBits = 9, kMostBits = 20;
  const uint32_t* words;
  int bits;

  /// Of the words for so many vertices.
  static int bits_for(int64_t vertices) { return std::max<int>(kLeastBits, std::bit_width(uint64_t(vertices))); }
  static uint32_t pack(int32_t vertex, T weight, int bits) {
    const uint32_t steps = uint32_t(1) << (32 - bits);
    const auto rounded = uint32_t(std::max(T(0), weight) * T(steps) + T(0.5));
    return std::min(rounded, steps - 1) << bits | uint32_t(vertex);
  }
  uint32_t mask() const { return (uint32_t(1) << bits) - 1; }
  T step() const { return T(1) / T(uint32_t(1) << (32 - bits)); }
  int32_t vertex(int64_t e) const { return int32_t(words[e] & mask()); }
  T weight(int64_t e) const { return T(int32_t(words[e] >> bits)) * step(); }
};

/// Whether PackedCorners hold so many vertices.
inline bool can_pack(int64_t vertices) {
  return PackedCorners<float>::bits_for(vertices) <= PackedCorners<float>::kMostBits;
}

/// f(corners) with those of the lattice, which lies in host memory and has the real type T.
template <class T, class F>
void visit_corners(const Lattice& l, const F& f) {
  if (l.packed.defined())
    f(PackedCorners<T>{reinterpret_cast<const uint32_t*>(l.packed.data<int32_t>()),
                       PackedCorners<T>::bits_for(l.vertices)});
  else
    f(FullCorners<T>{l.vertex.data<int32_t>(), l.weight.data<T>()});
}

}  // namespace tensor
