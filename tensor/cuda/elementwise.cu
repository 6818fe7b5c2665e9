/// Element-wise kernels: one loop per functor of tensor/scalar_ops.h.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {
namespace {

template <class Op, class T>
__global__ void map_kernel(Op op, const T* x, T* y, int64_t n) {
  for_each(n, [=](int64_t i) { y[i] = op(x[i]); });
}

template <class Op, class T>
__global__ void zip_kernel(Op op, const T* a, const T* b, int64_t b_size, T* y, int64_t n) {
  for_each(n, [=](int64_t i) { y[i] = op(a[i], b[b_size == n ? i : split(i, b_size).remainder]); });
}

/// A float outside an integer type's range becomes the nearest value, and NaN 0.
template <class To, class From>
__device__ To convert(From x) {
  if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    constexpr double least = std::is_same_v<To, uint8_t> ? 0.0 : -2147483648.0;
    constexpr double most = std::is_same_v<To, uint8_t> ? 255.0 : 2147483647.0;
    if (x != x) return To(0);
    if (double(x) <= least) return To(least);
    if (double(x) >= most) return To(most);
  }
  return To(x);
}

template <class From, class To>
__global__ void cast_kernel(const From* x, To* y, int64_t n) {
  for_each(n, [=](int64_t i) { y[i] = convert<To>(x[i]); });
}

template <class T>
__global__ void fill_kernel(T value, T* y, int64_t n) {
  for_each(n, [=](int64_t i) { y[i] = value; });
}

template <class T>
__global__ void add_bias_kernel(const T* bias, bool relu, T* y, int64_t n, int64_t channels) {
  for_each(n, [=](int64_t i) {
    const T v = bias ? y[i] + bias[split(i, channels).remainder] : y[i];
    y[i] = relu && v < T(0) ? T(0) : v;
  });
}

}  // namespace

void check_code() {
  cudaFuncAttributes attributes;
  check_cuda(cudaFuncGetAttributes(&attributes, &fill_kernel<float>), "code for the device");
}

template <class T>
void map(const MapOp& op, const T* x, T* y, int64_t n) {
  std::visit([&](auto f) { launch("map", &map_kernel<decltype(f), T>, blocks_for(n), kThreads, f, x, y, n); }, op);
}

template <class T>
void zip(const ZipOp& op, const T* a, const T* b, int64_t b_size, T* y, int64_t n) {
  std::visit(
      [&](auto f) { launch("zip", &zip_kernel<decltype(f), T>, blocks_for(n), kThreads, f, a, b, b_size, y, n); }, op);
}

template <class From, class To>
void cast(const From* x, To* y, int64_t n) {
  launch("cast", &cast_kernel<From, To>, blocks_for(n), kThreads, x, y, n);
}

template <class T>
void fill(T value, T* y, int64_t n) {
  launch("fill", &fill_kernel<T>, blocks_for(n), kThreads, value, y, n);
}

template <class T>
void add_bias(const T* bias, Activation activation, T* y, int64_t n, int64_t channels) {
  const bool relu = activation == Activation::relu;
  if (bias || relu) launch("add_bias", &add_bias_kernel<T>, blocks_for(n), kThreads, bias, relu, y, n, channels);
}

template void map(const MapOp&, const float*, float*, int64_t);
template void map(const MapOp&, const double*, double*, int64_t);
template void zip(const ZipOp&, const float*, const float*, int64_t, float*, int64_t);
template void zip(const ZipOp&, const double*, const double*, int64_t, double*, int64_t);
template void fill(float, float*, int64_t);
template void fill(double, double*, int64_t);
template void fill(int32_t, int32_t*, int64_t);
template void fill(uint8_t, uint8_t*, int64_t);
template void add_bias(const float*, Activation, float*, int64_t, int64_t);
template void add_bias(const double*, Activation, double*, int64_t, int64_t);
template void cast(const float*, double*, int64_t);
template void cast(const float*, float*, int64_t);
template void cast(const float*, int32_t*, int64_t);
template void cast(const float*, uint8_t*, int64_t);
template void cast(const double*, double*, int64_t);
template void cast(const double*, float*, int64_t);
template void cast(const double*, int32_t*, int64_t);
template void cast(const double*, uint8_t*, int64_t);
template void cast(const int32_t*, double*, int64_t);
template void cast(const int32_t*, float*, int64_t);
template void cast(const int32_t*, int32_t*, int64_t);
template void cast(const int32_t*, uint8_t*, int64_t);
template void cast(const uint8_t*, double*, int64_t);
template void cast(const uint8_t*, float*, int64_t);
template void cast(const uint8_t*, int32_t*, int64_t);
template void cast(const uint8_t*, uint8_t*, int64_t);

}  // namespace tensor::cuda
