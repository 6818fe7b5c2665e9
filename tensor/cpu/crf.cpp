/// The permutohedral filter, f32 and f64, with gathers only: every vertex and every point is written once, by one
/// thread, in a fixed order.
#include <algorithm>
#include <cmath>
#include <type_traits>

#include "tensor/cpu/backend.h"
#include "tensor/cpu/parallel.h"

namespace tensor::cpu {
namespace {

/// Raw pointers of a lattice.
template <class T>
struct View {
  int64_t points, corners, vertices;
  const int32_t *vertex, *splat_start, *splat_point, *neighbour;
  const T *weight, *splat_weight;
  explicit View(const Lattice& l)
      : points(l.points),
        corners(l.dimensions + 1),
        vertices(l.vertices),
        vertex(l.vertex.data<int32_t>()),
        splat_start(l.splat_start.data<int32_t>()),
        splat_point(l.splat_point.data<int32_t>()),
        neighbour(l.neighbour.data<int32_t>()),
        weight(l.weight.data<T>()),
        splat_weight(l.splat_weight.data<T>()) {}
};

/// x, y: one image's [points, c]. values, blurred: [vertices + 1, c]; scaled: [points, c] when `before`.
template <class T>
struct Buffers {
  const T *x, *before, *after;
  T *y, *values, *blurred, *scaled;
};

/// `C` channels when positive (known to the compiler), else `channels`.
template <class T, int C>
void filter(const View<T>& l, int64_t channels, bool transpose, const Buffers<T>& b) {
  const int64_t c_count = C > 0 ? C : channels;
  const T gain = T(1) / (T(1) + std::ldexp(T(1), -int(l.corners - 1)));
  const T* const x = b.before ? b.scaled : b.x;
  constexpr int64_t kGrain = 2048;
  // The row of zeros that absent neighbours point to.
  for (int64_t c = 0; c < c_count; ++c) b.values[l.vertices * c_count + c] = b.blurred[l.vertices * c_count + c] = 0;
  if (b.before)
    parallel_for(l.points, kGrain, [&](int64_t first, int64_t last) {
      for (int64_t p = first; p < last; ++p)
        for (int64_t c = 0; c < c_count; ++c) b.scaled[p * c_count + c] = b.x[p * c_count + c] * b.before[p];
    });
  parallel_for(l.vertices, kGrain, [&](int64_t first, int64_t last) {
    for (int64_t v = first; v < last; ++v) {
      T sum[C > 0 ? C : 1] = {};
      T* const out = C > 0 ? sum : b.values + v * c_count;
      if (C <= 0) std::fill(out, out + c_count, T(0));
      for (int32_t e = l.splat_start[v]; e < l.splat_start[v + 1]; ++e) {
        const T w = l.splat_weight[e];
        const T* const in = x + l.splat_point[e] * c_count;
        for (int64_t c = 0; c < c_count; ++c) out[c] += w * in[c];
      }
      if (C > 0)
        for (int64_t c = 0; c < c_count; ++c) b.values[v * c_count + c] = out[c];
    }
  });
  T *from = b.values, *to = b.blurred;
  for (int64_t step = 0; step < l.corners; ++step) {
    const int64_t axis = transpose ? l.corners - 1 - step : step;
    const int32_t* const neighbour = l.neighbour + axis * l.vertices * 2;
    parallel_for(l.vertices, kGrain, [&](int64_t first, int64_t last) {
      for (int64_t v = first; v < last; ++v) {
        const T* const before = from + neighbour[2 * v] * c_count;
        const T* const after = from + neighbour[2 * v + 1] * c_count;
        for (int64_t c = 0; c < c_count; ++c)
          to[v * c_count + c] = from[v * c_count + c] + T(0.5) * (before[c] + after[c]);
      }
    });
    std::swap(from, to);
  }
  parallel_for(l.points, kGrain, [&](int64_t first, int64_t last) {
    for (int64_t p = first; p < last; ++p) {
      T sum[C > 0 ? C : 1] = {};
      T* const out = C > 0 ? sum : b.y + p * c_count;
      if (C <= 0) std::fill(out, out + c_count, T(0));
      for (int64_t k = 0; k < l.corners; ++k) {
        const T w = l.weight[p * l.corners + k] * gain;
        const T* const in = from + l.vertex[p * l.corners + k] * c_count;
        for (int64_t c = 0; c < c_count; ++c) out[c] += w * in[c];
      }
      const T factor = b.after ? b.after[p] : T(1);
      for (int64_t c = 0; c < c_count; ++c) b.y[p * c_count + c] = out[c] * factor;
    }
  });
}

}  // namespace

void CpuBackend::lattice_gaussian(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  const int64_t channels = x.shape()[-1], row = (lattice.vertices + 1) * channels, image = lattice.points * channels;
  const Tensor work({2 * row + (pass.before.defined() ? image : 0)}, x.dtype(), x.device());
  visit_float(x.dtype(), "lattice_gaussian", [&]<class T>() {
    const View<T> view(lattice);
    const Buffers<T> buffers{.x = x.data<T>() + pass.image * image,
                             .before = pass.before.defined() ? pass.before.data<T>() : nullptr,
                             .after = pass.after.defined() ? pass.after.data<T>() : nullptr,
                             .y = y.data<T>() + pass.image * image,
                             .values = work.data<T>(),
                             .blurred = work.data<T>() + row,
                             .scaled = work.data<T>() + 2 * row};
    auto run = [&]<int C>(std::integral_constant<int, C>) { filter<T, C>(view, channels, pass.transpose, buffers); };
    switch (channels) {
      case 1:
        return run(std::integral_constant<int, 1>{});
      case 2:
        return run(std::integral_constant<int, 2>{});
      case 3:
        return run(std::integral_constant<int, 3>{});
      case 4:
        return run(std::integral_constant<int, 4>{});
      default:
        return run(std::integral_constant<int, 0>{});
    }
  });
}

}  // namespace tensor::cpu
