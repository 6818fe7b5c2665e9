/// The permutohedral filter, a channel at a time. Every number is written by one thread, and its terms are added in the
/// order in which the reference adds them.
/// vertex, weight: [axes][points]; neighbour: [axes][2][vertices]; value, blurred: [vertices + 1].
#include <algorithm>
#include <cmath>
#include <utility>

#include "tensor/backend.h"
#include "tensor/cpu/parallel.h"
#include "tensor/gaussian/lattice.h"

namespace tensor::cpu {
namespace {

constexpr int64_t kLatticeGrain = 2048;  // vertices or points of a thread

/// x, y: a channel's first value, `channels` apart; before, after: a factor a point, or null. work: [2, vertices + 1].
void filter_channel(const Lattice& l, bool transpose, int64_t channels, const float* x, const float* before,
                    const float* after, float* y, float* work) {
  const int64_t axes = l.axes(), points = l.points, vertices = l.vertices;
  const int32_t* const vertex = l.vertex.data<int32_t>();
  const float* const weight = l.weight.data<float>();
  float *value = work, *blurred = work + vertices + 1;
  value[vertices] = blurred[vertices] = 0;  // what absent neighbours count

  // Splat, a thread for each row of corners: no two rows share a vertex.
  parallel_for(vertices, kLatticeGrain,
               [&](int64_t first, int64_t last) { std::fill(value + first, value + last, 0.0f); });
  parallel_chunks(axes, [&](int64_t k) {
    for (int64_t p = 0; p < points; ++p)
      value[vertex[k * points + p]] +=
          weight[k * points + p] * (before ? x[p * channels] * before[p] : x[p * channels]);
  });

  for (int64_t i = 0; i < axes; ++i) {
    const int32_t* const earlier = l.neighbour.data<int32_t>() + 2 * vertices * (transpose ? axes - 1 - i : i);
    const int32_t* const later = earlier + vertices;
    parallel_for(vertices, kLatticeGrain, [=](int64_t first, int64_t last) {
      for (int64_t v = first; v < last; ++v) blurred[v] = value[v] + 0.5f * (value[earlier[v]] + value[later[v]]);
    });
    std::swap(value, blurred);
  }

  const float gain = 1 / (1 + std::ldexp(1.0f, -int(l.dimensions)));
  parallel_for(points, kLatticeGrain, [&](int64_t first, int64_t last) {
    float sum[kLatticeGrain] = {};
    for (int64_t k = 0; k < axes; ++k) {
      const int32_t* const at = vertex + k * points + first;
      const float* const w = weight + k * points + first;
      for (int64_t p = 0; p < last - first; ++p) sum[p] += w[p] * gain * value[at[p]];
    }
    for (int64_t p = first; p < last; ++p) y[p * channels] = after ? sum[p - first] * after[p] : sum[p - first];
  });
}

}  // namespace

void lattice_gaussian(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  const int64_t channels = x.shape()[-1], image = pass.image * lattice.points * channels;
  const Tensor work({2, lattice.vertices + 1}, x.dtype(), x.device());
  const auto or_null = [](const Tensor& t) { return t.defined() ? t.data<float>() : nullptr; };
  for (int64_t c = 0; c < channels; ++c)
    filter_channel(lattice, pass.transpose, channels, x.data<float>() + image + c, or_null(pass.before),
                   or_null(pass.after), y.data<float>() + image + c, work.data<float>());
}

void add_lattice_gaussian(Backend& b) { b.lattice_gaussian = lattice_gaussian; }

}  // namespace tensor::cpu
