/// Gaussian filters: the sum over all pairs, and the permutohedral lattice as its paper tells it, point after point.
#include <cmath>

#include "tensor/reference/reference.h"

namespace tensor {
namespace {

template <class T>
T factor(const Tensor& factors, int64_t i) {
  return factors.defined() ? factors.data<T>()[i] : T(1);
}

}  // namespace

void ReferenceBackend::exact_gaussian(const Tensor& features, const GaussianPass& pass, const Tensor& x,
                                      const Tensor& y) {
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

void ReferenceBackend::lattice_gaussian(const Lattice& l, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  const int64_t n = l.points, corners = l.dimensions + 1, v_count = l.vertices, c_count = x.shape()[-1];
  visit_float(x.dtype(), "lattice_gaussian", [&]<class T>() {
    const T* const in = x.data<T>() + pass.image * n * c_count;
    T* const out = y.data<T>() + pass.image * n * c_count;
    const int32_t *const vertex = l.vertex.data<int32_t>(), *const neighbour = l.neighbour.data<int32_t>();
    const T* const weight = l.weight.data<T>();
    std::vector<T> values((v_count + 1) * c_count, T(0)), blurred = values;
    for (int64_t i = 0; i < n; ++i)
      for (int64_t k = 0; k < corners; ++k)
        for (int64_t c = 0; c < c_count; ++c)
          values[vertex[i * corners + k] * c_count + c] +=
              weight[i * corners + k] * (in[i * c_count + c] * factor<T>(pass.before, i));
    for (int64_t step = 0; step < corners; ++step) {
      const int64_t axis = pass.transpose ? corners - 1 - step : step;
      for (int64_t v = 0; v < v_count; ++v)
        for (int64_t c = 0; c < c_count; ++c) {
          const T before = values[neighbour[(axis * v_count + v) * 2] * c_count + c];
          const T after = values[neighbour[(axis * v_count + v) * 2 + 1] * c_count + c];
          blurred[v * c_count + c] = values[v * c_count + c] + T(0.5) * (before + after);
        }
      values.swap(blurred);
    }
    const T gain = T(1) / (T(1) + std::ldexp(T(1), -int(l.dimensions)));
    for (int64_t i = 0; i < n; ++i)
      for (int64_t c = 0; c < c_count; ++c) {
        T sum = 0;
        for (int64_t k = 0; k < corners; ++k)
          sum += weight[i * corners + k] * gain * values[vertex[i * corners + k] * c_count + c];
        out[i * c_count + c] = sum * factor<T>(pass.after, i);
      }
  });
}

}  // namespace tensor
