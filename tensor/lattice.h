/// The permutohedral lattice of a set of points: built once per image, then any number of channels are filtered on it.
///
/// y = slice(blur_d(... blur_0(splat(x)))) / (1 + 2^-d) approximates sum_j e^(-|f_i - f_j|^2 / 2) x_j up to a factor
/// that normalisation removes. Only vertices that a point touches exist; absent neighbours count 0. Source: Adams, Baek
/// & Davis 2010.
///
/// The bridged lattice is ours, nearer to the sum: features count 1.05 times, absent vertices exist too that have along
/// two axes or more a neighbour that a point touches, so that the blur can cross them (of 16384 points or more, one
/// where they weigh at least 0.15 min(1, mean over the vertices): more cost time and tell little there), and the axes
/// are blurred in both orders, whose mean is sliced. It is its own transpose.
#pragma once
#include <vector>

#include "tensor/tensor.h"

namespace tensor {

/// What kernels read that give a vertex to a thread: it follows from the lattice. `vertices` is a number too: of a row
/// of zeros, which stands for an absent neighbour.
struct LatticeGathers {
  Tensor splat_start;   ///< i32 [vertices + 1]: each vertex's range in splat_point and splat_weight
  Tensor splat_point;   ///< i32 [points (dimensions + 1)]: the points that touch the vertex, ascending
  Tensor splat_weight;  ///< [points (dimensions + 1)]
  Tensor neighbour;     ///< i32 [dimensions + 1, vertices, 2]: before and after along each axis
};

/// All tensors live on one device; real ones have the dtype of the features. Vertices are numbered by their
/// coordinates, ascending, the last but one the most significant. A step along an axis keeps their order, so that the
/// n-th vertex that has one after it and the n-th that has one before it are neighbours.
struct Lattice {
  static constexpr int64_t kMaxDimensions = 6;
  int64_t points = 0, dimensions = 0, vertices = 0;
  bool bridged = false;
  Tensor vertex;  ///< i32 [dimensions + 1, points]: the corners of each point's simplex; no two rows share a vertex
  Tensor weight;  ///< [dimensions + 1, points]: barycentric, a point's sum to 1
  /// i32 [dimensions + 1, 2, ceil(vertices / 32)]: a bit a vertex, the lowest first: along the axis there is one before
  /// it ([.., 0, ..]), one after it ([.., 1, ..]). Bits beyond the last vertex are 0.
  Tensor linked;
  LatticeGathers gathers;  ///< on Device::cuda only

  int64_t bytes() const;
  /// From host memory.
  Lattice to(Device device) const;
};

/// features: f32 or f64 [points, d] in units of the kernel's standard deviation, 1 <= d <= 6, in host memory.
/// Throws when one is not finite or so large that the lattice's coordinates leave 21 bits (about 10^5 deviations).
/// On Device::plan nothing is computed: the tensors have the size that a photograph's vertices would need.
Lattice build_lattice(const Tensor& features, bool bridged = false);

/// Of a lattice in host memory, the neighbours along one axis: [2 v] before vertex v, [2 v + 1] after it, `vertices`
/// where there is none.
std::vector<int32_t> neighbours(const Lattice& lattice, int64_t axis);

}  // namespace tensor
