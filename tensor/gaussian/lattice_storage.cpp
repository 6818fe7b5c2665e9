/// The tensors of a finished lattice: their size, other forms of them, and what follows from them.
#include <algorithm>

#include "tensor/backend.h"
#include "tensor/gaussian/lattice_corners.h"
#include "tensor/gaussian/lattice_links.h"

namespace tensor {
namespace {

/// Of a lattice whose corners are in full.
LatticeGathers gathers_of(const Lattice& l) {
  const int64_t incidences = l.points * l.corners();
  const LatticeGathers y = LatticeGathers::sized(l, Device::cpu);
  const int32_t* const vertex = l.vertex.data<int32_t>();
  int32_t* const start = y.splat_start.data<int32_t>();
  std::fill(start, start + l.vertices + 1, 0);
  for (int64_t e = 0; e < incidences; ++e) ++start[vertex[e] + 1];
  for (int64_t v = 0; v < l.vertices; ++v) start[v + 1] += start[v];
  std::vector<int32_t> place(start, start + l.vertices);
  visit_float(l.weight.dtype(), "lattice", [&]<class T>() {
    for (int64_t e = 0; e < incidences; ++e) {
      const int32_t at = place[vertex[e]]++;
      y.splat_point.data<int32_t>()[at] = int32_t(e % l.points);
      y.splat_weight.data<T>()[at] = l.weight.data<T>()[e];
    }
  });
  for (int64_t axis = 0; axis < l.axes(); ++axis) {
    const std::vector<int32_t> along = neighbours(l, axis);
    std::copy(along.begin(), along.end(), y.neighbour.data<int32_t>() + axis * l.vertices * 2);
  }
  return y;
}

}  // namespace

LatticeGathers LatticeGathers::sized(const Lattice& l, Device device) {
  const int64_t incidences = l.points * l.corners();
  return {.splat_start = Tensor({l.vertices + 1}, DType::i32, device),
          .splat_point = Tensor({incidences}, DType::i32, device),
          .splat_weight = Tensor({incidences}, l.weight.dtype(), device),
          .neighbour = Tensor({l.axes(), l.vertices, 2}, DType::i32, device)};
}

int64_t Lattice::bytes() const {
  int64_t sum = 0;
  for (const Tensor* t : {&vertex, &weight, &packed, &linked, &gathers.splat_start, &gathers.splat_point,
                          &gathers.splat_weight, &gathers.neighbour})
    sum += t->bytes();
  return sum;
}

Lattice Lattice::to(Device device) const {
  Lattice y = device == Device::cuda ? unpacked() : *this;
  if (device == Device::cuda) y.gathers = gathers_of(y);
  for (Tensor* t : {&y.vertex, &y.weight, &y.packed, &y.linked})
    if (t->defined()) *t = t->to(device);
  for (Tensor* t : {&y.gathers.splat_start, &y.gathers.splat_point, &y.gathers.splat_weight, &y.gathers.neighbour})
    if (t->defined()) *t = t->to(device);
  return y;
}

Lattice Lattice::unpacked() const {
  if (!packed.defined()) return *this;
  Lattice y = *this;
  y.packed = {};
  y.vertex = Tensor(packed.shape(), DType::i32, packed.device());
  y.weight = Tensor(packed.shape(), dtype, packed.device());
  visit_float(dtype, "lattice", [&]<class T>() {
    visit_corners<T>(*this, [&](const auto& corners) {
      for (int64_t e = 0; e < packed.size(); ++e) {
        y.vertex.data<int32_t>()[e] = corners.vertex(e);
        y.weight.data<T>()[e] = corners.weight(e);
      }
    });
  });
  return y;
}

std::vector<int32_t> neighbours(const Lattice& l, int64_t axis) {
  const int64_t words = link_words(l.vertices);
  const int32_t* const before = l.linked.data<int32_t>() + 2 * axis * words;
  const int32_t* const after = before + words;
  std::vector<int32_t> y(2 * l.vertices, int32_t(l.vertices));
  int64_t w = -1;
  for (int64_t v = 0; v < l.vertices; ++v) {
    if (!has_link(after, v)) continue;
    do ++w;
    while (!has_link(before, w));
    y[2 * v + 1] = int32_t(w);
    y[2 * w] = int32_t(v);
  }
  return y;
}

}  // namespace tensor
