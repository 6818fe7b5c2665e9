/// Gaussian filters of the CRF: every pair, or the permutohedral lattice with its splat turned into a gather.
#include <utility>

#include "tensor/cuda/launch.h"
#include "tensor/cuda/tensors.h"
#include "tensor/gaussian/lattice.h"

namespace tensor::cuda {
namespace {

constexpr int kChannels = 8;

/// GaussianPass on its image: x, y: [points, c]; before, after: [points] or null.
template <class T>
struct Filtering {
  int64_t points, channels;
  bool transpose;
  const T *before, *after, *x;
  T* y;
  Filtering(const GaussianPass& pass, int64_t points_, const Tensor& x_, const Tensor& y_)
      : points(points_),
        channels(x_.shape()[-1]),
        transpose(pass.transpose),
        before(or_null<T>(pass.before)),
        after(or_null<T>(pass.after)),
        x(x_.data<T>() + pass.image * points * channels),
        y(y_.data<T>() + pass.image * points * channels) {}
};

/// The tensors of a lattice (tensor/gaussian/lattice.h).
template <class T>
struct LatticePointers {
  int64_t axes, vertices;
  const int32_t *vertex, *neighbour, *splat_start, *splat_corner;
  const T* weight;
  explicit LatticePointers(const Lattice& l)
      : axes(l.axes()),
        vertices(l.vertices),
        vertex(l.vertex.data<int32_t>()),
        neighbour(l.neighbour.data<int32_t>()),
        splat_start(l.splat_start.data<int32_t>()),
        splat_corner(l.splat_corner.data<int32_t>()),
        weight(l.weight.data<T>()) {}
};

template <class T>
__device__ T factor(const T* factors, int64_t i) {
  return factors ? factors[i] : T(1);
}

/// A thread a point, up to kChannels channels from `first` at once.
template <class T>
__global__ void exact_gaussian_kernel(Filtering<T> f, const T* features, int64_t dimensions, int64_t first) {
  const int64_t channels = f.channels - first < kChannels ? f.channels - first : kChannels;
  for_each(f.points, [=](int64_t i) {
    T sums[kChannels] = {};
    for (int64_t j = 0; j < f.points; ++j) {
      T squared = 0;
      for (int64_t a = 0; a < dimensions; ++a) {
        const T d = features[i * dimensions + a] - features[j * dimensions + a];
        squared += d * d;
      }
      const T k = math::exp(T(-0.5) * squared) * factor(f.before, j);
      for (int c = 0; c < kChannels; ++c)
        if (c < channels) sums[c] += k * f.x[j * f.channels + first + c];
    }
    for (int c = 0; c < kChannels; ++c)
      if (c < channels) f.y[i * f.channels + first + c] = sums[c] * factor(f.after, i);
  });
}

/// A thread a vertex and channel. Row `vertices` of both buffers becomes 0: it is what absent neighbours count.
template <class T>
__global__ void splat_kernel(Filtering<T> f, LatticePointers<T> l, T* value, T* blurred) {
  for_each((l.vertices + 1) * f.channels, [=](int64_t i) {
    const Split at = split(i, f.channels);
    T sum = 0;
    if (at.quotient == l.vertices)
      blurred[i] = 0;
    else
      for (int32_t j = l.splat_start[at.quotient]; j < l.splat_start[at.quotient + 1]; ++j) {
        const int64_t corner = l.splat_corner[j], point = split(corner, f.points).remainder;
        sum += l.weight[corner] * (f.x[point * f.channels + at.remainder] * factor(f.before, point));
      }
    value[i] = sum;
  });
}

template <class T>
__global__ void blur_kernel(const int32_t* before, int64_t vertices, int64_t channels, const T* value, T* blurred) {
  const int32_t* const after = before + vertices;
  for_each(vertices * channels, [=](int64_t i) {
    const Split at = split(i, channels);
    const int64_t b = before[at.quotient], a = after[at.quotient];
    blurred[i] = value[i] + T(0.5) * (value[b * channels + at.remainder] + value[a * channels + at.remainder]);
  });
}

template <class T>
__global__ void slice_kernel(Filtering<T> f, LatticePointers<T> l, const T* value, T gain) {
  for_each(f.points * f.channels, [=](int64_t i) {
    const Split at = split(i, f.channels);
    T sum = 0;
    for (int64_t k = 0; k < l.axes; ++k) {
      const int64_t corner = k * f.points + at.quotient;
      sum += l.weight[corner] * gain * value[l.vertex[corner] * f.channels + at.remainder];
    }
    f.y[i] = sum * factor(f.after, at.quotient);
  });
}

}  // namespace

void exact_gaussian(const Tensor& features, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  visit_float(x.dtype(), "exact_gaussian", [&]<class T>() {
    const Filtering<T> f(pass, features.shape()[0], x, y);
    for (int64_t first = 0; first < f.channels; first += kChannels)
      launch("exact_gaussian", &exact_gaussian_kernel<T>, blocks_for(f.points), kThreads, f, features.data<T>(),
             features.shape()[1], first);
  });
}

void lattice_gaussian(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y) {
  visit_float(x.dtype(), "lattice_gaussian", [&]<class T>() {
    const Filtering<T> f(pass, lattice.points, x, y);
    const LatticePointers<T> l(lattice);
    const int64_t size = (l.vertices + 1) * f.channels;
    const Tensor buffers = workspace(2 * size, x.dtype());
    T *value = buffers.data<T>(), *blurred = value + size;
    launch("splat", &splat_kernel<T>, blocks_for(size), kThreads, f, l, value, blurred);
    for (int64_t i = 0; i < l.axes; ++i) {
      const int32_t* const before = l.neighbour + 2 * l.vertices * (f.transpose ? l.axes - 1 - i : i);
      launch("blur", &blur_kernel<T>, blocks_for(l.vertices * f.channels), kThreads, before, l.vertices, f.channels,
             value, blurred);
      std::swap(value, blurred);
    }
    const T gain = T(1 / (1 + 1.0 / double(int64_t(1) << (l.axes - 1))));
    launch("slice", &slice_kernel<T>, blocks_for(f.points * f.channels), kThreads, f, l, value, gain);
  });
}

void add_gaussians(Backend& b) {
  b.exact_gaussian = exact_gaussian;
  b.lattice_gaussian = lattice_gaussian;
}

}  // namespace tensor::cuda
