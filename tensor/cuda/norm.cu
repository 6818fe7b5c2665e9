/// Batch normalisation.
#include "tensor/cuda/column_sums.cuh"
#include "tensor/cuda/kernels.h"

namespace tensor::cuda {
namespace {

/// Moments about the channel's first value, so that squares of a large mean do not cancel.
template <class T>
struct Moments {
  const T* x;
  __device__ Sums<2> operator()(int64_t i, int64_t channel) const {
    const double d = double(x[i]) - double(x[channel]);
    return {{d, d * d}};
  }
};

template <class T>
struct StoreStatistics {
  const T* x;
  double count;
  T *mean, *variance;
  __device__ void operator()(int64_t channel, const Sums<2>& total) const {
    const double d = total.of[0] / count, v = total.of[1] / count - d * d;
    mean[channel] = T(double(x[channel]) + d);
    variance[channel] = T(v < 0 ? 0 : v);
  }
};

template <class T>
__device__ T xhat(const Norm<T>& b, int64_t i, int64_t c) {
  return (b.x[i] - b.mean[c]) * b.rstd[c];
}

/// dy where the activation let it through, else 0.
template <class T>
__device__ T through(const Norm<T>& b, T dy, T xhat, int64_t c) {
  return !b.relu || b.gamma[c] * xhat + b.beta[c] > T(0) ? dy : T(0);
}

template <class T>
struct ParameterGradients {
  Norm<T> b;
  const T* dy;
  __device__ Sums<2> operator()(int64_t i, int64_t c) const {
    const T h = xhat(b, i, c), dz = through(b, dy[i], h, c);
    return {{double(dz) * double(h), double(dz)}};
  }
};

template <class T>
struct StoreGradients {
  T *dgamma, *dbeta;
  __device__ void operator()(int64_t c, const Sums<2>& total) const {
    dgamma[c] = T(total.of[0]);
    dbeta[c] = T(total.of[1]);
  }
};

template <class T>
__global__ void batch_norm_kernel(Norm<T> b, T* y) {
  for_each(b.n, [=](int64_t i) {
    const int64_t c = split(i, b.channels).remainder;
    const T z = b.gamma[c] * xhat(b, i, c) + b.beta[c];
    y[i] = b.relu && z < T(0) ? T(0) : z;
  });
}

template <class T>
__global__ void grad_input_kernel(Norm<T> b, const T* dy, const T* dgamma, const T* dbeta, T per_value, T* dx) {
  for_each(b.n, [=](int64_t i) {
    const int64_t c = split(i, b.channels).remainder;
    const T h = xhat(b, i, c), dz = through(b, dy[i], h, c);
    dx[i] = b.gamma[c] * b.rstd[c] * (per_value > T(0) ? dz - per_value * (dbeta[c] + h * dgamma[c]) : dz);
  });
}

}  // namespace

template <class T>
void batch_norm_statistics(const T* x, int64_t n, int64_t channels, double* workspace, T* mean, T* variance) {
  column_sums<2>("batch_norm_statistics", Columns(n, channels), Moments<T>{x}, workspace,
                 StoreStatistics<T>{x, double(n) / double(channels), mean, variance});
}

template <class T>
void batch_norm(const Norm<T>& b, T* y) {
  launch("batch_norm", &batch_norm_kernel<T>, blocks_for(b.n), kThreads, b, y);
}

template <class T>
void batch_norm_grad_sums(const Norm<T>& b, const T* dy, double* workspace, T* dgamma, T* dbeta) {
  column_sums<2>("batch_norm_grad_sums", Columns(b.n, b.channels), ParameterGradients<T>{b, dy}, workspace,
                 StoreGradients<T>{dgamma, dbeta});
}

template <class T>
void batch_norm_grad_input(const Norm<T>& b, const T* dy, const T* dgamma, const T* dbeta, bool training, T* dx) {
  const T per_value = training ? T(double(b.channels) / double(b.n)) : T(0);
  launch("batch_norm_grad_input", &grad_input_kernel<T>, blocks_for(b.n), kThreads, b, dy, dgamma, dbeta, per_value,
         dx);
}

template void batch_norm_statistics(const float*, int64_t, int64_t, double*, float*, float*);
template void batch_norm_statistics(const double*, int64_t, int64_t, double*, double*, double*);
template void batch_norm(const Norm<float>&, float*);
template void batch_norm(const Norm<double>&, double*);
template void batch_norm_grad_sums(const Norm<float>&, const float*, double*, float*, float*);
template void batch_norm_grad_sums(const Norm<double>&, const double*, double*, double*, double*);
template void batch_norm_grad_input(const Norm<float>&, const float*, const float*, const float*, bool, float*);
template void batch_norm_grad_input(const Norm<double>&, const double*, const double*, const double*, bool, double*);

}  // namespace tensor::cuda
