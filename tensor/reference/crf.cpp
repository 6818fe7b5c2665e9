/// Gaussian filters: the sum over all pairs, and the permutohedral lattice as its paper tells it, point after point.
#include <cmath>
#include <vector>

#include "tensor/backend.h"
#include "tensor/gaussian/lattice.h"

namespace tensor::reference {
namespace {

template <class T>
T factor(const Tensor& factors, int64_t i) {
  return factors.defined() ? factors.data<T>()[i] : T(1);
}

}  // namespace

void exact_gaussian(const Tensor& features, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  const int64_t n = features.shape()[0], d = features.shape()[1], c_count = x.shape()[-1];
  visit_float(x.dtype(), "exact_gaussian", [&]<class T>() {
    const T* const f = features.data<T>();
    const T* const in = x.data<T>() + pass.image * n * c_count;
    T* const out = y.data<T>() + pass.image * n * c_count;
    for (int64_t i = 0; i < n; ++i) {
      for (int64_t c = 0; c < c_count; ++c) out[i * c_count + c] = 0;
      for (int64_t j = 0; j < n; ++j) {
        T squared = 0;
        for (int64_t a = 0; a < d; ++a) squared += (f[i * d + a] - f[j * d + a]) * (f[i * d + a] - f[j * d + a]);
        const T k = std::exp(T(-0.5) * squared);
        for (int64_t c = 0; c < c_count; ++c)
          out[i * c_count + c] += k * (in[j * c_count + c] * factor<T>(pass.before, j));
      }
      for (int64_t c = 0; c < c_count; ++c) out[i * c_count + c] *= factor<T>(pass.after, i);
    }
  });
}

void lattice_gaussian(const Lattice& l, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  const int64_t n = l.points, axes = l.axes(), c_count = x.shape()[-1];
  const int32_t *const vertex = l.vertex.data<int32_t>(), *const neighbour = l.neighbour.data<int32_t>();
  visit_float(x.dtype(), "lattice_gaussian", [&]<class T>() {
    const T* const weight = l.weight.data<T>();
    const T* const in = x.data<T>() + pass.image * n * c_count;
    T* const out = y.data<T>() + pass.image * n * c_count;
    const T gain = T(1) / (T(1) + std::ldexp(T(1), -int(l.dimensions)));
    for (int64_t c = 0; c < c_count; ++c) {
      std::vector<T> value(l.vertices + 1, T(0)), blurred = value;  // the last one is what absent neighbours count
      for (int64_t i = 0; i < n; ++i)
        for (int64_t e = i; e < axes * n; e += n)
          value[vertex[e]] += weight[e] * (in[i * c_count + c] * factor<T>(pass.before, i));
      for (int64_t step = 0; step < axes; ++step) {
        const int32_t* const before = neighbour + 2 * l.vertices * (pass.transpose ? axes - 1 - step : step);
        const int32_t* const after = before + l.vertices;
        for (int64_t v = 0; v < l.vertices; ++v) blurred[v] = value[v] + T(0.5) * (value[before[v]] + value[after[v]]);
        value.swap(blurred);
      }
      for (int64_t i = 0; i < n; ++i) {
        T sum = 0;
        for (int64_t e = i; e < axes * n; e += n) sum += weight[e] * gain * value[vertex[e]];
        out[i * c_count + c] = sum * factor<T>(pass.after, i);
      }
    }
  });
}

void add_gaussians(Backend& b) {
  b.exact_gaussian = exact_gaussian;
  b.lattice_gaussian = lattice_gaussian;
}

}  // namespace tensor::reference
