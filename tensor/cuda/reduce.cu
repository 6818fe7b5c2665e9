/// Sums.
#include "tensor/cuda/column_sums.cuh"
#include "tensor/cuda/kernels.h"

namespace tensor::cuda {
namespace {

template <class T>
struct Value {
  const T* x;
  template <int N>
  __device__ Sums<1, N> at(int64_t i, int64_t) const {
    const Pack<T, N> v = load<N>(x + i);
    Sums<1, N> sums;
    for (int e = 0; e < N; ++e) sums.of[0][e] = double(v.of[e]);
    return sums;
  }
};

template <class T>
struct Store {
  Wide<T>* y;
  __device__ void operator()(int64_t channel, const Sums<1, 1>& total) const { y[channel] = Wide<T>(total.of[0][0]); }
};

}  // namespace

template <class T>
int64_t column_sums_workspace(int64_t n, int64_t channels, int sums) {
  return sums * Columns(n, channels, columns_at_once<T>(channels)).partial_sums();
}

template <class T>
void sum(const T* x, int64_t n, int64_t channels, double* workspace, Wide<T>* y) {
  column_sums<T, 1>("sum", n, channels, Value<T>{x}, workspace, Store<T>{y});
}

template int64_t column_sums_workspace<float>(int64_t, int64_t, int);
template int64_t column_sums_workspace<double>(int64_t, int64_t, int);
template int64_t column_sums_workspace<BFloat16>(int64_t, int64_t, int);
template void sum<float>(const float*, int64_t, int64_t, double*, float*);
template void sum<double>(const double*, int64_t, int64_t, double*, double*);
template void sum<BFloat16>(const BFloat16*, int64_t, int64_t, double*, float*);

}  // namespace tensor::cuda
