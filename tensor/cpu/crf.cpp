/// The permutohedral filter, a channel at a time. Every number is written by one thread, and its terms are added in the
/// order in which the reference adds them.
#include <algorithm>
#include <cmath>
#include <utility>

#include "tensor/cpu/backend.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {
namespace {

constexpr int64_t kLatticeGrain = 2048;  // vertices or points of a thread

/// x, y: a channel's first value, `channels` apart; before, after: a factor a point, or null. work: [2, vertices + 1].
template <class T>
void filter_channel(const Lattice& l, bool transpose, int64_t channels, const T* x, const T* before, const T* after,
                    T* y, T* work) {
  const int64_t axes = l.axes(), points = l.points, vertices = l.vertices;
  const int32_t* const vertex = l.vertex.data<int32_t>();
  const T* const weight = l.weight.data<T>();
  T *value = work, *blurred = work + vertices + 1;
  value[vertices] = blurred[vertices] = 0;  // what absent neighbours count

  // Splat, a thread for each row of corners: no two rows share a vertex.
  parallel_for(vertices, kLatticeGrain,
               [&](int64_t first, int64_t last) { std::fill(value + first, value + last, T(0)); });
  parallel_chunks(axes, [&](int64_t k) {
    for (int64_t p = 0; p < points; ++p)
      value[vertex[k * points + p]] +=
          weight[k * points + p] * (before ? x[p * channels] * before[p] : x[p * channels]);
  });

  for (int64_t i = 0; i < axes; ++i) {
    const int32_t* const earlier = l.neighbour.data<int32_t>() + 2 * vertices * (transpose ? axes - 1 - i : i);
    const int32_t* const later = earlier + vertices;
    parallel_for(vertices, kLatticeGrain, [=](int64_t first, int64_t last) {
      for (int64_t v = first; v < last; ++v) blurred[v] = value[v] + T(0.5) * (value[earlier[v]] + value[later[v]]);
    });
    std::swap(value, blurred);
  }

  const T gain = T(1) / (T(1) + std::ldexp(T(1), -int(l.dimensions)));
  parallel_for(points, kLatticeGrain, [&](int64_t first, int64_t last) {
    T sum[kLatticeGrain] = {};
    for (int64_t k = 0; k < axes; ++k) {
      const int32_t* const at = vertex + k * points + first;
      const T* const w = weight + k * points + first;
      for (int64_t p = 0; p < last - first; ++p) sum[p] += w[p] * gain * value[at[p]];
    }
    for (int64_t p = first; p < last; ++p) y[p * channels] = after ? sum[p - first] * after[p] : sum[p - first];
  });
}

}  // namespace

void CpuBackend::lattice_gaussian(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  const int64_t channels = x.shape()[-1], image = pass.image * lattice.points * channels;
  const Tensor work({2, lattice.vertices + 1}, x.dtype(), x.device());
  visit_float(x.dtype(), "lattice_gaussian", [&]<class T>() {
    const auto or_null = [](const Tensor& t) { return t.defined() ? t.data<T>() : nullptr; };
    for (int64_t c = 0; c < channels; ++c)
      filter_channel(lattice, pass.transpose, channels, x.data<T>() + image + c, or_null(pass.before),
                     or_null(pass.after), y.data<T>() + image + c, work.data<T>());
  });
}

}  // namespace tensor::cpu
