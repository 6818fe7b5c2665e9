/// Element-wise kernels: one loop per functor of tensor/scalar_ops.h.
#include "tensor/cuda/conv_kernels.h"
#include "tensor/cuda/pack.h"
#include "tensor/cuda/tensors.h"
#include "tensor/visit_number.h"

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

void map(const MapOp& op, const Tensor& x, const Tensor& y) {
  visit_activation(x.dtype(), "map", [&]<class T>() {
    const int64_t n = x.size(), packs = (n + kPack<T> - 1) / kPack<T>;
    const auto with = [&](auto f) {
      launch("map", &map_kernel<decltype(f), T>, blocks_for(packs), kThreads, f, x.data<T>(), y.data<T>(), n);
    };
    std::visit(with, op);
  });
}

void zip(const ZipOp& op, const Tensor& a, const Tensor& b, const Tensor& y) {
  visit_activation(a.dtype(), "zip", [&]<class T>() {
    const int64_t n = a.size(), packs = (n + kPack<T> - 1) / kPack<T>;
    const auto with = [&](auto f) {
      launch("zip", &zip_kernel<decltype(f), T>, blocks_for(packs), kThreads, f, a.data<T>(), b.data<T>(), b.size(),
             y.data<T>(), n);
    };
    std::visit(with, op);
  });
}

template <class From, class To>
void cast_elements(const Tensor& x, const Tensor& y) {
  launch("cast", &cast_kernel<From, To>, blocks_for((x.size() + 3) / 4), kThreads, x.data<From>(), y.data<To>(),
         x.size());
}

void cast(const Tensor& x, const Tensor& y) {
  if (x.dtype() == DType::bf16)
    return visit_float(y.dtype(), "cast", [&]<class To>() { cast_elements<BFloat16, To>(x, y); });
  if (y.dtype() == DType::bf16)
    return visit_float(x.dtype(), "cast", [&]<class From>() { cast_elements<From, BFloat16>(x, y); });
  visit_number(x.dtype(), "cast", [&]<class From>() {
    visit_number(y.dtype(), "cast", [&]<class To>() { cast_elements<From, To>(x, y); });
  });
}

void fill(double value, const Tensor& y) {
  const auto with = [&]<class T>(T v) {
    launch("fill", &fill_kernel<T>, blocks_for(y.size()), kThreads, v, y.data<T>(), y.size());
  };
  if (y.dtype() == DType::bf16) return with(BFloat16(float(value)));
  visit_number(y.dtype(), "fill", [&]<class T>() { with(T(value)); });
}

void add_elementwise(Backend& b) {
  b.map = map;
  b.zip = zip;
  b.cast = cast;
  b.fill = fill;
}

template <class T>
void add_bias(const Wide<T>* bias, Activation activation, T* y, int64_t n, int64_t channels) {
  const bool relu = activation == Activation::relu;
  if (bias || relu) launch("add_bias", &add_bias_kernel<T>, blocks_for(n), kThreads, bias, relu, y, n, channels);
}

template void add_bias<float>(const float*, Activation, float*, int64_t, int64_t);
template void add_bias<double>(const double*, Activation, double*, int64_t, int64_t);
template void add_bias<BFloat16>(const float*, Activation, BFloat16*, int64_t, int64_t);

}  // namespace tensor::cuda
