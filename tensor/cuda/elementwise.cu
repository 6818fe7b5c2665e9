/// Element-wise kernels: one loop per functor of tensor/scalar_ops.h.
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/pack.h"

namespace tensor::cuda {
namespace {

template <class Op, class T>
__global__ void map_kernel(Op op, const T* x, T* y, int64_t n) {
  for_each_pack<kPack<T>>(n, [=]<int N>(int64_t i) {
    Pack<T, N> v = load<N>(x + i);
    for (T& element : v.of) element = T(op(Wide<T>(element)));
    store(y + i, v);
  });
}

template <class Op, class T>
__global__ void zip_kernel(Op op, const T* a, const T* b, int64_t b_size, T* y, int64_t n) {
  for_each_pack<kPack<T>>(n, [=]<int N>(int64_t i) {
    Pack<T, N> v = load<N>(a + i), u;
    if (b_size == n) {
      u = load<N>(b + i);
    } else {
      int64_t at = split(i, b_size).remainder;
      for (T& element : u.of) {
        element = b[at];
        if (++at == b_size) at = 0;
      }
    }
    for (int e = 0; e < N; ++e) v.of[e] = T(op(Wide<T>(v.of[e]), Wide<T>(u.of[e])));
    store(y + i, v);
  });
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
  for_each_pack<4>(n, [=]<int N>(int64_t i) {
    const Pack<From, N> v = load<N>(x + i);
    Pack<To, N> u;
    for (int e = 0; e < N; ++e) u.of[e] = convert<To>(v.of[e]);
    store(y + i, u);
  });
}

template <class T>
__global__ void fill_kernel(T value, T* y, int64_t n) {
  for_each(n, [=](int64_t i) { y[i] = value; });
}

template <class T>
__global__ void add_bias_kernel(const Wide<T>* bias, bool relu, T* y, int64_t n, int64_t channels) {
  for_each(n, [=](int64_t i) {
    const Wide<T> v = bias ? y[i] + bias[split(i, channels).remainder] : Wide<T>(y[i]);
    y[i] = T(relu && v < 0 ? 0 : v);
  });
}

}  // namespace

void check_code() {
  cudaFuncAttributes attributes;
  check_cuda(cudaFuncGetAttributes(&attributes, &fill_kernel<float>), "code for the device");
}

template <class T>
void map(const MapOp& op, const T* x, T* y, int64_t n) {
  std::visit(
      [&](auto f) {
        launch("map", &map_kernel<decltype(f), T>, blocks_for((n + kPack<T> - 1) / kPack<T>), kThreads, f, x, y, n);
      },
      op);
}

template <class T>
void zip(const ZipOp& op, const T* a, const T* b, int64_t b_size, T* y, int64_t n) {
  std::visit(
      [&](auto f) {
        launch("zip", &zip_kernel<decltype(f), T>, blocks_for((n + kPack<T> - 1) / kPack<T>), kThreads, f, a, b, b_size,
               y, n);
      },
      op);
}

template <class From, class To>
void cast(const From* x, To* y, int64_t n) {
  launch("cast", &cast_kernel<From, To>, blocks_for((n + 3) / 4), kThreads, x, y, n);
}

template <class T>
void fill(T value, T* y, int64_t n) {
  launch("fill", &fill_kernel<T>, blocks_for(n), kThreads, value, y, n);
}

template <class T>
void add_bias(const Wide<T>* bias, Activation activation, T* y, int64_t n, int64_t channels) {
  const bool relu = activation == Activation::relu;
  if (bias || relu) launch("add_bias", &add_bias_kernel<T>, blocks_for(n), kThreads, bias, relu, y, n, channels);
}

template void map(const MapOp&, const float*, float*, int64_t);
template void map(const MapOp&, const double*, double*, int64_t);
template void map(const MapOp&, const BFloat16*, BFloat16*, int64_t);
template void zip(const ZipOp&, const float*, const float*, int64_t, float*, int64_t);
template void zip(const ZipOp&, const double*, const double*, int64_t, double*, int64_t);
template void zip(const ZipOp&, const BFloat16*, const BFloat16*, int64_t, BFloat16*, int64_t);
template void fill(float, float*, int64_t);
template void fill(double, double*, int64_t);
template void fill(BFloat16, BFloat16*, int64_t);
template void fill(int32_t, int32_t*, int64_t);
template void fill(uint8_t, uint8_t*, int64_t);
template void add_bias<float>(const float*, Activation, float*, int64_t, int64_t);
template void add_bias<double>(const double*, Activation, double*, int64_t, int64_t);
template void add_bias<BFloat16>(const float*, Activation, BFloat16*, int64_t, int64_t);
template void cast(const float*, double*, int64_t);
template void cast(const float*, float*, int64_t);
template void cast(const float*, int32_t*, int64_t);
template void cast(const float*, uint8_t*, int64_t);
template void cast(const double*, double*, int64_t);
template void cast(const double*, float*, int64_t);
template void cast(const double*, int32_t*, int64_t);
template void cast(const double*, uint8_t*, int64_t);
template void cast(const float*, BFloat16*, int64_t);
template void cast(const double*, BFloat16*, int64_t);
template void cast(const BFloat16*, float*, int64_t);
template void cast(const BFloat16*, double*, int64_t);
template void cast(const int32_t*, double*, int64_t);
template void cast(const int32_t*, float*, int64_t);
template void cast(const int32_t*, int32_t*, int64_t);
template void cast(const int32_t*, uint8_t*, int64_t);
template void cast(const uint8_t*, double*, int64_t);
template void cast(const uint8_t*, float*, int64_t);
template void cast(const uint8_t*, int32_t*, int64_t);
template void cast(const uint8_t*, uint8_t*, int64_t);

}  // namespace tensor::cuda
