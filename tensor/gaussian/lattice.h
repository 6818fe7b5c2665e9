/// The permutohedral lattice of a set of points: built once per image, then any number of channels are filtered on it.
///
/// The filter approximates y_i = sum_j e^(-|f_i - f_j|^2 / 2) x_j for points with d features f in O(points d^2):
///
///   splat   every point adds its value to the d + 1 vertices of the simplex around it:  v += weight x
///   blur    along each of the d + 1 axes:  v' = v + (before + after) / 2
///   slice   every point reads its value back from the same vertices:  y = sum over them of weight v / (1 + 2^-d)
///
/// up to a factor that normalisation removes (gaussian_filter.h). Only vertices that a point touches exist. An absent
/// neighbour counts as 0, so what the blur would carry across it is lost: this is what the published filter does.
/// Transpose: splat and slice are each other's transpose and every blur is its own, so the transpose of the whole is
/// the same filter with the axes of the blur in reverse order.
///
/// Sources: A. Adams, J. Baek, M. A. Davis: Fast High-Dimensional Filtering Using the Permutohedral Lattice, 2010. As
/// the filter of a mean field: Krahenbuhl & Koltun 2011; of a network's CRF: Zheng et al. 2015.
#pragma once
#include "tensor/tensor.h"

namespace tensor {

/// All tensors live on one device. A vertex has d + 1 whole coordinates, all with the same remainder modulo d + 1. The
/// d + 1 vertices of a simplex have the remainders 0, 1, ..., d, and vertices are numbered remainder by remainder.
struct Lattice {
  static constexpr int64_t kMaxDimensions = 6;
  int64_t points = 0, dimensions = 0, vertices = 0;
  Tensor vertex;  ///< i32 [d + 1, points]: of each point's simplex; row k holds the vertices of remainder k
  Tensor weight;  ///< [d + 1, points]: barycentric; those of a point sum to 1
  /// i32 [d + 1, 2, vertices]: the vertex before (0) and after (1) each one along each axis; `vertices` where there is
  /// none.
  Tensor neighbour;
  /// On Device::cuda only, where a thread owns a vertex: i32 [vertices + 1], each vertex's range in splat_corner; and
  /// i32 [(d + 1) points], the places in `vertex` where the vertex stands, ascending.
  Tensor splat_start, splat_corner;

  /// Corners of a simplex; axes of the blur.
  int64_t axes() const { return dimensions + 1; }
  int64_t bytes() const;
  /// From host memory.
  Lattice to(Device device) const;
};

/// features: f32 or f64 [points, d] in units of the kernel's standard deviation, 1 <= d <= 6, in host memory.
/// Throws Error when one is not finite or so large that a coordinate leaves 2^20 (about 10^5 deviations).
/// On Device::plan nothing is computed: there are as many vertices as points, about what a photograph of 256x256 has.
Lattice build_lattice(const Tensor& features);

}  // namespace tensor
