/// Gaussian filters: the sum over all pairs, and the permutohedral lattice as its paper tells it, point after point.
#include <algorithm>
#include <cmath>
#include <vector>

#include "tensor/gaussian/lattice_corners.h"
#include "tensor/reference/reference.h"

namespace tensor {
namespace {

template <class T>
T factor(const Tensor& factors, int64_t i) {
  return factors.defined() ? factors.data<T>()[i] : T(1);
}

/// values: [vertices, channels], blurred along all axes.
template <class T>
std::vector<T> blurred(const Lattice& l, bool descending, std::vector<T> values, int64_t channels) {
  std::vector<T> y(values.size());
  values.resize(values.size() + channels, T(0));  // the row that absent neighbours count as
  for (int64_t step = 0; step < l.rounds * l.axes(); ++step) {
    const int64_t axis = step % l.axes();
    const std::vector<int32_t> neighbour = neighbours(l, descending ? l.dimensions - axis : axis);
    for (int64_t v = 0; v < l.vertices; ++v)
      for (int64_t c = 0; c < channels; ++c) {
        const T before = values[neighbour[2 * v] * channels + c], after = values[neighbour[2 * v + 1] * channels + c];
        y[v * channels + c] = values[v * channels + c] + T(0.5) * (before + after);
      }
    std::copy(y.begin(), y.end(), values.begin());
  }
  return y;
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
  const int64_t n = l.points, corners = l.corners(), v_count = l.vertices, c_count = x.shape()[-1];
  visit_float(x.dtype(), "lattice_gaussian", [&]<class T>() {
    const T* const in = x.data<T>() + pass.image * n * c_count;
    T* const out = y.data<T>() + pass.image * n * c_count;
    visit_corners<T>(l, [&](const auto& corner) {
      std::vector<T> splat(v_count * c_count, T(0));
      for (int64_t i = 0; i < n; ++i)
        for (int64_t e = i; e < corners * n; e += n)
          for (int64_t c = 0; c < c_count; ++c)
            splat[corner.vertex(e) * c_count + c] +=
                corner.weight(e) * (in[i * c_count + c] * factor<T>(pass.before, i));
      std::vector<T> values = blurred(l, pass.transpose, splat, c_count);
      if (l.both_orders()) {
        const std::vector<T> other = blurred(l, !pass.transpose, splat, c_count);
        for (size_t i = 0; i < values.size(); ++i) values[i] = T(0.5) * (values[i] + other[i]);
      }
      const T gain = T(1) / (T(1) + std::ldexp(T(1), -int(l.dimensions)));
      for (int64_t i = 0; i < n; ++i)
        for (int64_t c = 0; c < c_count; ++c) {
          T sum = 0;
          for (int64_t e = i; e < corners * n; e += n)
            sum += corner.weight(e) * gain * values[corner.vertex(e) * c_count + c];
          out[i * c_count + c] = sum * factor<T>(pass.after, i);
        }
    });
  });
}

}  // namespace tensor
