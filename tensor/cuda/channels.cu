/// Kernels along the last axis: copies of channel ranges, softmax, cross entropy.
#include "tensor/cuda/launch.h"
#include "tensor/cuda/tensors.h"

namespace tensor::cuda {
namespace {

struct alignas(16) Sixteen {
  uint64_t low, high;
};

template <class E>
__global__ void copy_channels_kernel(const E* x, int64_t x_channels, int64_t count, E* y, int64_t y_channels,
                                     int64_t n) {
  for_each(n, [=](int64_t i) {
    const Split at = split(i, count);
    y[at.quotient * y_channels + at.remainder] = x[at.quotient * x_channels + at.remainder];
  });
}

/// A thread a row: the classes of this program are few.
template <class T>
__global__ void softmax_kernel(const T* x, T* y, int64_t rows, int64_t classes) {
  for_each(rows, [=](int64_t row) {
    const T* from = x + row * classes;
    T* to = y + row * classes;
    T most = from[0], sum = 0;
    for (int64_t l = 1; l < classes; ++l) most = from[l] > most ? from[l] : most;
    for (int64_t l = 0; l < classes; ++l) sum += to[l] = math::exp(from[l] - most);
    for (int64_t l = 0; l < classes; ++l) to[l] /= sum;
  });
}

template <class T>
__global__ void softmax_grad_kernel(const T* dy, const T* y, T* dx, int64_t rows, int64_t classes) {
  for_each(rows, [=](int64_t row) {
    T dot = 0;
    for (int64_t i = row * classes; i < (row + 1) * classes; ++i) dot += dy[i] * y[i];
    for (int64_t i = row * classes; i < (row + 1) * classes; ++i) dx[i] = y[i] * (dy[i] - dot);
  });
}

template <class T>
__global__ void cross_entropy_kernel(const T* z, const int32_t* classes, T* y, int64_t rows, int64_t count) {
  for_each(rows, [=](int64_t row) {
    const T* from = z + row * count;
    T most = from[0], sum = 0;
    for (int64_t l = 1; l < count; ++l) most = from[l] > most ? from[l] : most;
    for (int64_t l = 0; l < count; ++l) sum += math::exp(from[l] - most);
    const int32_t t = classes[row];
    y[row] = t >= 0 && t < count ? math::log(sum) + (most - from[t]) : T(math::from_bits(0x7fc00000u));
  });
}

/// dz holds softmax(z).
template <class T>
__global__ void subtract_class_kernel(const int32_t* classes, T* dz, int64_t rows, int64_t count) {
  for_each(rows, [=](int64_t row) {
    const int32_t t = classes[row];
    if (t >= 0 && t < count) dz[row * count + t] -= T(1);
  });
}

}  // namespace

void copy_channels(const ChannelRange& from, const ChannelRange& to) {
  const Tensor &x = from.image, &y = to.image;
  if (x.size() == 0 || from.count == 0) return;
  int64_t bytes = int64_t(size_of(x.dtype())), count = from.count, x_first = from.first, y_first = to.first;
  int64_t x_channels = x.shape()[-1], y_channels = y.shape()[-1];
  const int64_t rows = x.size() / x_channels;
  // A thread copies as many elements at once as every extent is a multiple of, up to 16 bytes.
  while (bytes < 16 && (x_channels | x_first | count | y_channels | y_first) % 2 == 0) {
    bytes *= 2;
    for (int64_t* extent : {&x_channels, &x_first, &count, &y_channels, &y_first}) *extent /= 2;
  }
  const auto copy = [&]<class E>(E) {
    launch("copy_channels", &copy_channels_kernel<E>, blocks_for(rows * count), kThreads,
           static_cast<const E*>(x.raw()) + x_first, x_channels, count, static_cast<E*>(y.raw()) + y_first, y_channels,
           rows * count);
  };
  switch (bytes) {
    case 1:
      return copy(uint8_t());
    case 2:
      return copy(uint16_t());
    case 4:
      return copy(uint32_t());
    case 16:
      return copy(Sixteen());
    default:
      return copy(uint64_t());
  }
}

void softmax(const Tensor& x, const Tensor& y) {
  if (x.size() == 0) return;
  const int64_t classes = x.shape()[-1], rows = x.size() / classes;
  visit_float(x.dtype(), "softmax", [&]<class T>() {
    launch("softmax", &softmax_kernel<T>, blocks_for(rows), kThreads, x.data<T>(), y.data<T>(), rows, classes);
  });
}

void softmax_grad(const Tensor& dy, const Tensor& y, const Tensor& dx) {
  if (dy.size() == 0) return;
  const int64_t classes = dy.shape()[-1], rows = dy.size() / classes;
  visit_float(dy.dtype(), "softmax_grad", [&]<class T>() {
    launch("softmax_grad", &softmax_grad_kernel<T>, blocks_for(rows), kThreads, dy.data<T>(), y.data<T>(), dx.data<T>(),
           rows, classes);
  });
}

void cross_entropy(const Tensor& z, const Tensor& classes, const Tensor& y) {
  if (z.size() == 0) return;
  visit_float(z.dtype(), "cross_entropy", [&]<class T>() {
    launch("cross_entropy", &cross_entropy_kernel<T>, blocks_for(y.size()), kThreads, z.data<T>(),
           classes.data<int32_t>(), y.data<T>(), y.size(), z.shape()[-1]);
  });
}

void cross_entropy_grad(const Tensor& z, const Tensor& classes, const Tensor& dz) {
  if (z.size() == 0) return;
  softmax(z, dz);
  visit_float(z.dtype(), "cross_entropy_grad", [&]<class T>() {
    launch("cross_entropy_grad", &subtract_class_kernel<T>, blocks_for(classes.size()), kThreads,
           classes.data<int32_t>(), dz.data<T>(), classes.size(), z.shape()[-1]);
  });
}

void add_channels(Backend& b) {
  b.copy_channels = copy_channels;
  b.softmax = softmax;
  b.softmax_grad = softmax_grad;
  b.cross_entropy = cross_entropy;
  b.cross_entropy_grad = cross_entropy_grad;
}

}  // namespace tensor::cuda
