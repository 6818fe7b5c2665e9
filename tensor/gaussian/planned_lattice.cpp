/// Lattices on Device::plan: tensors of the size that a photograph's would have.
#include <algorithm>
#include <cmath>

#include "tensor/gaussian/lattice_corners.h"
#include "tensor/gaussian/lattice_links.h"
#include "tensor/plan/plan.h"

namespace tensor {
namespace {

/// Fitted to square photographs of 64 to 512 pixels a side, deviations (160 side / 500, 3): 2.7 vertices a pixel for
/// the smallest, 200 / side for the others, bridged 2.1 times that, or more of fewer points. In the plane, 3 pixels a
/// deviation.
int64_t planned_vertices(int64_t points, int64_t dimensions, bool bridged) {
  if (dimensions <= 2) return int64_t((bridged ? 0.3 * Lattice::copies_of(points, true) : 0.14) * double(points)) + 1;
  const double touched = std::min(2.7 * double(points), 200 * std::sqrt(double(points)));
  return int64_t((!bridged ? 1 : points < Lattice::kSmall ? 9.4 : points < Lattice::kLarge ? 2.7 : 2.1) * touched);
}

}  // namespace

int64_t planned_scratch(int64_t points, int64_t dimensions, bool bridged) {
  return 75 * planned_vertices(points, dimensions, bridged);
}

Lattice plan_lattice(const Tensor& features, bool bridged) {
  const int64_t n = features.shape()[0], d = features.shape()[1], v = planned_vertices(n, d, bridged);
  const Device device = features.device();
  Lattice y;
  y.points = n, y.dimensions = d, y.vertices = v, y.bridged = bridged, y.dtype = features.dtype();
  y.copies = Lattice::copies_of(n, bridged);
  if (bridged && can_pack(v) && planned_device() != Device::cuda) {
    y.packed = Tensor({y.corners(), n}, DType::i32, device);
  } else {
    y.vertex = Tensor({y.corners(), n}, DType::i32, device);
    y.weight = Tensor({y.corners(), n}, features.dtype(), device);
  }
  y.linked = Tensor({y.axes(), 2, link_words(v)}, DType::i32, device);
  if (planned_device() == Device::cpu) const Tensor scratch({planned_scratch(n, d, bridged) / 4}, DType::i32, device);
  if (planned_device() == Device::cuda) y.gathers = LatticeGathers::sized(y, device);
  return y;
}

}  // namespace tensor
