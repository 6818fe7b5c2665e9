/// Sums.
#include "tensor/cuda/column_sums.cuh"
#include "tensor/cuda/kernels.h"

namespace tensor::cuda {
namespace {

template <class T>
struct Value {
  const T* x;
  __device__ Sums<1> operator()(int64_t i, int64_t) const { return {{double(x[i])}}; }
};

template <class T>
struct Store {
  T* y;
  __device__ void operator()(int64_t channel, const Sums<1>& total) const { y[channel] = T(total.of[0]); }
};

}  // namespace

int64_t column_sums_workspace(int64_t n, int64_t channels, int sums) {
  return sums * Columns(n, channels).partial_sums();
}

template <class T>
void sum(const T* x, int64_t n, int64_t channels, double* workspace, T* y) {
  column_sums<1>("sum", Columns(n, channels), Value<T>{x}, workspace, Store<T>{y});
}

template void sum(const float*, int64_t, int64_t, double*, float*);
template void sum(const double*, int64_t, int64_t, double*, double*);

}  // namespace tensor::cuda
