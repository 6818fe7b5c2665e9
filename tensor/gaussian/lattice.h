/// The permutohedral lattice of a set of points: built once per image, then any number of channels are filtered on it.
///
/// y = slice(blur_d(... blur_0(splat(x)))) / (1 + 2^-d) approximates sum_j e^(-|f_i - f_j|^2 / 2) x_j up to a factor
/// that normalisation removes. Only vertices that a point touches exist; absent neighbours count 0. Source: Adams, Baek
/// & Davis 2010.
///
/// The bridged lattice is ours, nearer to the sum. Features count 1.05 times; the axes are blurred in both orders, whose
/// mean is sliced, so that it is its own transpose. Absent vertices exist too, bridges, so that the blur can cross them:
/// those that have along two axes or more a neighbour that a point touches, and, of fewer than 16384 points, then those
/// that have any along three axes or more. Of 32768 points or more, where time counts, only neighbours count where
/// points weigh at least 0.15 min(1, mean over the vertices).
///
/// Of fewer than 16384 points there are two copies of it, and of fewer than 32768 where they touch fewer than 1.3
/// vertices each: the second lies half a period further along every other coordinate, and their results are added.
/// Where one errs because a point lies on a vertex or far from all, the other errs the other way. Each copy is blurred
/// in one order only, the second in the reverse of the first's.
///
/// Where points would touch few vertices of a copy, at most one for 2 points (of 16384 points or more, for 5), the
/// bridged lattice is finer and blurs twice: along an axis a splat and a slice have variance (d + 1)^2 / 6 and a blur
/// (d + 1)^2 / 2, so features count sqrt(7 / 4) times as much again. There the blur goes further, and bridges with
/// neighbours along two axes are added two to four times, until there are about as many vertices as points (of 16384
/// or more, a quarter).
#pragma once
#include <vector>

#include "tensor/tensor.h"

namespace tensor {

struct Lattice;

/// What kernels read that give a vertex to a thread: it follows from the lattice. `vertices` is a number too: of a row
/// of zeros, which stands for an absent neighbour.
struct LatticeGathers {
  Tensor splat_start;   ///< i32 [vertices + 1]: each vertex's range in splat_point and splat_weight
  Tensor splat_point;   ///< i32 [points corners]: the points that touch the vertex, ascending
  Tensor splat_weight;  ///< [points corners]
  Tensor neighbour;     ///< i32 [dimensions + 1, vertices, 2]: before and after along each axis

  /// Unset tensors for the lattice, whose corners are in full.
  static LatticeGathers sized(const Lattice& lattice, Device device);
};

/// All tensors live on one device. Vertices are numbered by their keys (tensor/gaussian/lattice_points.h), ascending. A step
/// along an axis keeps their order, so that the n-th vertex that has one after it and the n-th that has one before it
/// are neighbours.
struct Lattice {
  static constexpr int64_t kMaxDimensions = 6;
  /// A bridged lattice of fewer points than kSmall may take more time, one of kLarge or more must take less.
  static constexpr int64_t kSmall = 1 << 14, kLarge = 1 << 15;
  /// Copies that the lattice of any so many points has, at least.
  static int copies_of(int64_t points, bool bridged) { return bridged && points < kSmall ? 2 : 1; }
  int64_t points = 0, dimensions = 0, vertices = 0;
  bool bridged = false;
  int copies = 1;            ///< of the lattice, each shifted, whose results are added
  int rounds = 1;            ///< how often each order of the axes is blurred
  DType dtype = DType::f32;  ///< of the features, and of real numbers here
  Tensor vertex;  ///< i32 [corners, points]: those of each point's simplex in every copy; no two rows share a vertex
  Tensor weight;  ///< [corners, points]: barycentric, a point's sum to 1 in a copy
  /// i32 [corners, points], in place of both where a bridged lattice in host memory has no more than 2^20 - 1
  /// vertices: tensor/gaussian/lattice_corners.h reads it. Weights are rounded, to 2^-16 of 65535 vertices.
  Tensor packed;
  /// i32 [dimensions + 1, 2, ceil(vertices / 32)]: a bit a vertex, the lowest first: along the axis there is one before
  /// it ([.., 0, ..]), one after it ([.., 1, ..]). Bits beyond the last vertex are 0. The second copy's vertices have
  /// their axes in reverse here, so that one loop over the axes blurs both copies, each in its order.
  Tensor linked;
  LatticeGathers gathers;  ///< on Device::cuda only

  int64_t axes() const { return dimensions + 1; }
  int64_t corners() const { return copies * axes(); }
  /// Whether all vertices are blurred in both orders of the axes, whose mean is sliced.
  bool both_orders() const { return bridged && copies == 1; }
  int64_t bytes() const;
  /// From host memory.
  Lattice to(Device device) const;
  /// This lattice, in host memory, with `vertex` and `weight` in place of `packed`.
  Lattice unpacked() const;
};

/// features: f32 or f64 [points, d] in units of the kernel's standard deviation, 1 <= d <= 6, in host memory.
/// Throws when one is not finite or so large that the lattice's coordinates leave 21 bits (about 10^5 deviations).
/// On Device::plan nothing is computed: the tensors have the size that a photograph's vertices would need.
Lattice build_lattice(const Tensor& features, bool bridged = false);

/// Of a lattice in host memory, the neighbours along one axis: [2 v] before vertex v, [2 v + 1] after it, `vertices`
/// where there is none.
std::vector<int32_t> neighbours(const Lattice& lattice, int64_t axis);

}  // namespace tensor
