/// Batch normalisation.
#include "tensor/cuda/column_sums.cuh"
#include "tensor/cuda/kernels.h"

namespace tensor::cuda {
namespace {

/// Moments about the channel's first value, so that squares of a large mean do not cancel.
template <class T>
struct Moments {
  const T* x;
  template <int N>
  __device__ Sums<2, N> at(int64_t i, int64_t channel) const {
    const Pack<T, N> v = load<N>(x + i), origin = load<N>(x + channel);
    Sums<2, N> sums;
    for (int e = 0; e < N; ++e) {
      const double d = double(v.of[e]) - double(origin.of[e]);
      sums.of[0][e] = d, sums.of[1][e] = d * d;
    }
    return sums;
  }
};

template <class T>
struct StoreStatistics {
  const T* x;
  double count;
  Wide<T>*mean, *variance;
  __device__ void operator()(int64_t channel, const Sums<2, 1>& total) const {
    const double d = total.of[0][0] / count, v = total.of[1][0] / count - d * d;
    mean[channel] = Wide<T>(double(x[channel]) + d);
    variance[channel] = Wide<T>(v < 0 ? 0 : v);
  }
};

/// The parameters of N channels, and what they make of a value.
template <class T, int N>
struct Channels {
  Pack<Wide<T>, N> mean, rstd, gamma, beta;
  bool relu;
  __device__ Channels(const Norm<T>& b, int64_t c)
      : mean(load<N>(b.mean + c)),
        rstd(load<N>(b.rstd + c)),
        gamma(load<N>(b.gamma + c)),
        beta(load<N>(b.beta + c)),
        relu(b.relu) {}
  __device__ Wide<T> xhat(T x, int e) const { return (x - mean.of[e]) * rstd.of[e]; }
  /// dy where the activation let it through, else 0.
  __device__ Wide<T> through(Wide<T> dy, Wide<T> xhat, int e) const {
    return !relu || gamma.of[e] * xhat + beta.of[e] > 0 ? dy : 0;
  }
};

template <class T>
struct ParameterGradients {
  Norm<T> b;
  const T* dy;
  template <int N>
  __device__ Sums<2, N> at(int64_t i, int64_t c) const {
    const Channels<T, N> p(b, c);
    const Pack<T, N> x = load<N>(b.x + i), d = load<N>(dy + i);
    Sums<2, N> sums;
    for (int e = 0; e < N; ++e) {
      const Wide<T> h = p.xhat(x.of[e], e), dz = p.through(d.of[e], h, e);
      sums.of[0][e] = double(dz) * double(h), sums.of[1][e] = double(dz);
    }
    return sums;
  }
};

template <class T>
struct StoreGradients {
  Wide<T>*dgamma, *dbeta;
  __device__ void operator()(int64_t c, const Sums<2, 1>& total) const {
    dgamma[c] = Wide<T>(total.of[0][0]);
    dbeta[c] = Wide<T>(total.of[1][0]);
  }
};

/// N divides the channels.
template <class T, int N>
__global__ void batch_norm_kernel(Norm<T> b, T* y) {
  for_each(b.n / N, [=](int64_t pack) {
    const Channels<T, N> p(b, split(pack * N, b.channels).remainder);
    Pack<T, N> v = load<N>(b.x + pack * N);
    for (int e = 0; e < N; ++e) {
      const Wide<T> z = p.gamma.of[e] * p.xhat(v.of[e], e) + p.beta.of[e];
      v.of[e] = T(b.relu && z < 0 ? 0 : z);
    }
    store(y + pack * N, v);
  });
}

template <class T, int N>
__global__ void grad_input_kernel(Norm<T> b, const T* dy, const Wide<T>* dgamma, const Wide<T>* dbeta,
                                  Wide<T> per_value, T* dx) {
  for_each(b.n / N, [=](int64_t pack) {
    const int64_t c = split(pack * N, b.channels).remainder;
    const Channels<T, N> p(b, c);
    const Pack<Wide<T>, N> dg = load<N>(dgamma + c), db = load<N>(dbeta + c);
    const Pack<T, N> x = load<N>(b.x + pack * N);
    Pack<T, N> v = load<N>(dy + pack * N);
    for (int e = 0; e < N; ++e) {
      const Wide<T> h = p.xhat(x.of[e], e), dz = p.through(v.of[e], h, e);
      const Wide<T> centred = per_value > 0 ? dz - per_value * (db.of[e] + h * dg.of[e]) : dz;
      v.of[e] = T(p.gamma.of[e] * p.rstd.of[e] * centred);
    }
    store(dx + pack * N, v);
  });
}

}  // namespace

template <class T>
void batch_norm_statistics(const T* x, int64_t n, int64_t channels, double* workspace, Wide<T>* mean,
                           Wide<T>* variance) {
  column_sums<T, 2>("batch_norm_statistics", n, channels, Moments<T>{x}, workspace,
                    StoreStatistics<T>{x, double(n) / double(channels), mean, variance});
}

template <class T>
void batch_norm(const Norm<T>& b, T* y) {
  with_channel_pack(b.channels, [&]<int N>() {
    launch("batch_norm", &batch_norm_kernel<T, N>, blocks_for(b.n / N), kThreads, b, y);
  });
}

template <class T>
void batch_norm_grad_sums(const Norm<T>& b, const T* dy, double* workspace, Wide<T>* dgamma, Wide<T>* dbeta) {
  column_sums<T, 2>("batch_norm_grad_sums", b.n, b.channels, ParameterGradients<T>{b, dy}, workspace,
                    StoreGradients<T>{dgamma, dbeta});
}

template <class T>
void batch_norm_grad_input(const Norm<T>& b, const T* dy, const Wide<T>* dgamma, const Wide<T>* dbeta, bool training,
                           T* dx) {
  const Wide<T> per_value = training ? Wide<T>(double(b.channels) / double(b.n)) : 0;
  with_channel_pack(b.channels, [&]<int N>() {
    launch("batch_norm_grad_input", &grad_input_kernel<T, N>, blocks_for(b.n / N), kThreads, b, dy, dgamma, dbeta,
           per_value, dx);
  });
}

template void batch_norm_statistics<float>(const float*, int64_t, int64_t, double*, float*, float*);
template void batch_norm_statistics<double>(const double*, int64_t, int64_t, double*, double*, double*);
template void batch_norm_statistics<BFloat16>(const BFloat16*, int64_t, int64_t, double*, float*, float*);
template void batch_norm(const Norm<float>&, float*);
template void batch_norm(const Norm<double>&, double*);
template void batch_norm(const Norm<BFloat16>&, BFloat16*);
template void batch_norm_grad_sums(const Norm<float>&, const float*, double*, float*, float*);
template void batch_norm_grad_sums(const Norm<double>&, const double*, double*, double*, double*);
template void batch_norm_grad_sums(const Norm<BFloat16>&, const BFloat16*, double*, float*, float*);
template void batch_norm_grad_input(const Norm<float>&, const float*, const float*, const float*, bool, float*);
template void batch_norm_grad_input(const Norm<double>&, const double*, const double*, const double*, bool, double*);
template void batch_norm_grad_input(const Norm<BFloat16>&, const BFloat16*, const float*, const float*, bool,
                                    BFloat16*);

}  // namespace tensor::cuda
