/// Kernels along the last axis: copies of channel ranges, softmax.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"

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

template <class E>
void copy_elements(const void* x, int64_t x_channels, int64_t x_first, int64_t count, void* y, int64_t y_channels,
                   int64_t y_first, int64_t rows) {
  launch("copy_channels", &copy_channels_kernel<E>, blocks_for(rows * count), kThreads,
         static_cast<const E*>(x) + x_first, x_channels, count, static_cast<E*>(y) + y_first, y_channels, rows * count);
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

}  // namespace

void copy_channels(int64_t element_bytes, const void* x, int64_t x_channels, int64_t x_first, int64_t count, void* y,
                   int64_t y_channels, int64_t y_first, int64_t rows) {
  // A thread copies as many elements at once as every extent is a multiple of, up to 16 bytes.
  while (element_bytes < 16 && (x_channels | x_first | count | y_channels | y_first) % 2 == 0) {
    element_bytes *= 2;
    for (int64_t* extent : {&x_channels, &x_first, &count, &y_channels, &y_first}) *extent /= 2;
  }
  switch (element_bytes) {
    case 1:
      return copy_elements<uint8_t>(x, x_channels, x_first, count, y, y_channels, y_first, rows);
    case 2:
      return copy_elements<uint16_t>(x, x_channels, x_first, count, y, y_channels, y_first, rows);
    case 4:
      return copy_elements<uint32_t>(x, x_channels, x_first, count, y, y_channels, y_first, rows);
    case 16:
      return copy_elements<Sixteen>(x, x_channels, x_first, count, y, y_channels, y_first, rows);
    default:
      return copy_elements<uint64_t>(x, x_channels, x_first, count, y, y_channels, y_first, rows);
  }
}

template <class T>
void softmax(const T* x, T* y, int64_t rows, int64_t classes) {
  launch("softmax", &softmax_kernel<T>, blocks_for(rows), kThreads, x, y, rows, classes);
}

template <class T>
void softmax_grad(const T* dy, const T* y, T* dx, int64_t rows, int64_t classes) {
  launch("softmax_grad", &softmax_grad_kernel<T>, blocks_for(rows), kThreads, dy, y, dx, rows, classes);
}

template void softmax(const float*, float*, int64_t, int64_t);
template void softmax(const double*, double*, int64_t, int64_t);
template void softmax_grad(const float*, const float*, float*, int64_t, int64_t);
template void softmax_grad(const double*, const double*, double*, int64_t, int64_t);

}  // namespace tensor::cuda
