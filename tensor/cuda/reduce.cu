/// Sums over all but the last axis, or over everything: column sums of one value each.
#include "tensor/cuda/column_sums.cuh"

namespace tensor::cuda {
namespace {

template <class T>
struct Value {
  const T* x;
  template <int N>
  struct Of {
    const T* x;
    __device__ Sums<1, N> at(int64_t i) const {
      const Pack<T, N> v = load<N>(x + i);
      Sums<1, N> sums;
      for (int e = 0; e < N; ++e) sums.of[0][e] = double(v.of[e]);
      return sums;
    }
  };
  template <int N>
  __device__ Of<N> of(int64_t) const {
    return {x};
  }
};

template <class T>
struct Store {
  Wide<T>* y;
  __device__ void operator()(int64_t channel, const Sums<1, 1>& total) const { y[channel] = Wide<T>(total.of[0][0]); }
};

}  // namespace

void sum(const Tensor& x, const Tensor& y) {
  if (x.size() == 0) return cuda_backend().fill(0, y);
  visit_activation(x.dtype(), "sum", [&]<class T>() {
    column_sums<T, 1>("sum", x.size(), y.size(), Value<T>{x.data<T>()}, Store<T>{y.data<Wide<T>>()});
  });
}

void add_sums(Backend& b) { b.sum = sum; }

}  // namespace tensor::cuda
