/// Gaussian filters of the CRF: every pair, or the permutohedral lattice with its splat turned into a gather.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {
namespace {

constexpr int kChannels = 8;

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

/// Into the first buffer. Row `vertices` of all buffers becomes 0 and stays so: it stands for absent neighbours.
template <class T>
__global__ void splat_kernel(Filtering<T> f, LatticePointers<T> l, int buffers) {
  const int64_t size = (l.vertices + 1) * f.channels;
  for_each(size, [=](int64_t i) {
    const Split at = split(i, f.channels);
    T sum = 0;
    if (at.quotient < l.vertices)
      for (int32_t j = l.splat_start[at.quotient]; j < l.splat_start[at.quotient + 1]; ++j) {
        const int64_t point = l.splat_point[j];
        sum += l.splat_weight[j] * (f.x[point * f.channels + at.remainder] * factor(f.before, point));
      }
    for (int b = 1; b < buffers && at.quotient == l.vertices; ++b) l.buffers[b * size + i] = 0;
    l.buffers[i] = sum;
  });
}

template <class T>
__global__ void blur_kernel(const int32_t* neighbour, int64_t vertices, int64_t channels, const T* from, T* to) {
  for_each(vertices * channels, [=](int64_t i) {
    const Split at = split(i, channels);
    const int64_t before = neighbour[2 * at.quotient], after = neighbour[2 * at.quotient + 1];
    to[i] = from[i] + T(0.5) * (from[before * channels + at.remainder] + from[after * channels + at.remainder]);
  });
}

/// Of the mean of `one` and `other`.
template <class T>
__global__ void slice_kernel(Filtering<T> f, LatticePointers<T> l, const T* one, const T* other, T gain) {
  for_each(f.points * f.channels, [=](int64_t i) {
    const Split at = split(i, f.channels);
    T sum = 0;
    for (int64_t k = 0; k < l.corners; ++k) {
      const int64_t corner = k * f.points + at.quotient;
      const int64_t value = l.vertex[corner] * f.channels + at.remainder;
      sum += l.weight[corner] * gain * (T(0.5) * (one[value] + other[value]));
    }
    f.y[i] = sum * factor(f.after, at.quotient);
  });
}

/// `from` blurred along all axes: the result is in `one` or in `other`, which may be `from`.
template <class T>
T* blur_all(const LatticePointers<T>& l, int64_t channels, bool descending, const T* from, T* one, T* other) {
  for (int64_t step = 0; step < l.rounds * (l.dimensions + 1); ++step) {
    const int64_t at = step % (l.dimensions + 1), axis = descending ? l.dimensions - at : at;
    launch("blur", &blur_kernel<T>, blocks_for(l.vertices * channels), kThreads, l.neighbour + axis * l.vertices * 2,
           l.vertices, channels, from, one);
    from = one;
    one = other;
    other = const_cast<T*>(from);
  }
  return other;
}

}  // namespace

template <class T>
void exact_gaussian(const Filtering<T>& f, const T* features, int64_t dimensions) {
  for (int64_t first = 0; first < f.channels; first += kChannels)
    launch("exact_gaussian", &exact_gaussian_kernel<T>, blocks_for(f.points), kThreads, f, features, dimensions, first);
}

template <class T>
void lattice_gaussian(const Filtering<T>& f, const LatticePointers<T>& l) {
  const int64_t size = (l.vertices + 1) * f.channels;
  T* const b = l.buffers;
  launch("splat", &splat_kernel<T>, blocks_for(size), kThreads, f, l, l.both_orders ? 4 : 2);
  const T* one;
  const T* other;
  if (l.both_orders) {
    one = blur_all<T>(l, f.channels, f.transpose, b, b + size, b + 2 * size);
    other = blur_all<T>(l, f.channels, !f.transpose, b, b + 3 * size, one == b + size ? b + 2 * size : b + size);
  } else {
    one = other = blur_all<T>(l, f.channels, f.transpose, b, b + size, b);
  }
  const T gain = T(1 / (1 + 1.0 / double(int64_t(1) << l.dimensions)));
  launch("slice", &slice_kernel<T>, blocks_for(f.points * f.channels), kThreads, f, l, one, other, gain);
}

template void exact_gaussian(const Filtering<float>&, const float*, int64_t);
template void exact_gaussian(const Filtering<double>&, const double*, int64_t);
template void lattice_gaussian(const Filtering<float>&, const LatticePointers<float>&);
template void lattice_gaussian(const Filtering<double>&, const LatticePointers<double>&);

}  // namespace tensor::cuda
