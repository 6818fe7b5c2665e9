/// Batch normalisation: sums a channel by column_sums.cuh, then one pass over packs of channels.
#include "tensor/cuda/column_sums.cuh"

namespace tensor::cuda {
namespace {

/// The operands of BatchNorm (tensor/backend.h); n elements in `channels` channels.
template <class T>
struct Norm {
  const T* x;
  const Wide<T>*mean, *rstd, *gamma, *beta;
  int64_t n, channels;
  bool relu;
  explicit Norm(const BatchNorm& b)
      : x(b.x.data<T>()),
        mean(b.mean.data<Wide<T>>()),
        rstd(b.rstd.data<Wide<T>>()),
        gamma(b.gamma.data<Wide<T>>()),
        beta(b.beta.data<Wide<T>>()),
        n(b.x.size()),
        channels(b.mean.size()),
        relu(b.activation == Activation::relu) {}
};

/// Moments about the channel's first value, so that squares of a large mean do not cancel.
template <class T>
struct Moments {
  const T* x;
  template <int N>
  struct Of {
    const T* x;
    Pack<T, N> origin;
    __device__ Sums<2, N> at(int64_t i) const {
      const Pack<T, N> v = load<N>(x + i);
      Sums<2, N> sums;
      for (int e = 0; e < N; ++e) {
        const double d = double(v.of[e]) - double(origin.of[e]);
        sums.of[0][e] = d, sums.of[1][e] = d * d;
      }
      return sums;
    }
  };
  template <int N>
  __device__ Of<N> of(int64_t channel) const {
    return {x, load<N>(x + channel)};
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

/// Of a training pass. R: of the running values.
template <class T, class R>
struct StoreUpdate {
  const T* x;
  double count;
  RunningUpdate u;
  R *running_mean, *running_variance;
  Wide<T>*mean, *rstd;
  __device__ void operator()(int64_t channel, const Sums<2, 1>& total) const {
    using W = Wide<T>;
    W m, variance;
    StoreStatistics<T>{x + channel, count, &m, &variance}(0, total);
    const auto moved = [&](R running, double rate, W value) {
      return rounded_product(R(1 - u.momentum), running) + R(rounded_product(W(rate), value));
    };
    running_mean[channel] = moved(running_mean[channel], u.momentum, m);
    running_variance[channel] = moved(running_variance[channel], u.momentum * u.correction, variance);
    mean[channel] = m;
    rstd[channel] = Rsqrt{u.epsilon}(variance);
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
  struct Of {
    const T *x, *dy;
    Channels<T, N> p;
    __device__ Sums<2, N> at(int64_t i) const {
      const Pack<T, N> v = load<N>(x + i), d = load<N>(dy + i);
      Sums<2, N> sums;
      for (int e = 0; e < N; ++e) {
        const Wide<T> h = p.xhat(v.of[e], e), dz = p.through(d.of[e], h, e);
        sums.of[0][e] = double(dz) * double(h), sums.of[1][e] = double(dz);
      }
      return sums;
    }
  };
  template <int N>
  __device__ Of<N> of(int64_t channel) const {
    return {b.x, dy, Channels<T, N>(b, channel)};
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

void batch_norm_statistics(const Tensor& x, const Tensor& mean, const Tensor& variance) {
  const int64_t n = x.size(), channels = mean.size();
  visit_activation(x.dtype(), "batch_norm_statistics", [&]<class T>() {
    const T* const values = x.data<T>();
    column_sums<T, 2>(
        "batch_norm_statistics", n, channels, Moments<T>{values},
        StoreStatistics<T>{values, double(n) / double(channels), mean.data<Wide<T>>(), variance.data<Wide<T>>()});
  });
}

void batch_norm_update(const RunningUpdate& u, const Tensor& x, const Tensor& running_mean,
                       const Tensor& running_variance, const Tensor& mean, const Tensor& rstd) {
  const int64_t n = x.size(), channels = mean.size();
  visit_activation(x.dtype(), "batch_norm_update", [&]<class T>() {
    visit_float(running_mean.dtype(), "batch_norm_update", [&]<class R>() {
      const T* const values = x.data<T>();
      column_sums<T, 2>("batch_norm_update", n, channels, Moments<T>{values},
                        StoreUpdate<T, R>{values, double(n) / double(channels), u, running_mean.data<R>(),
                                          running_variance.data<R>(), mean.data<Wide<T>>(), rstd.data<Wide<T>>()});
    });
  });
}

void batch_norm(const BatchNorm& norm, const Tensor& y) {
  visit_activation(y.dtype(), "batch_norm", [&]<class T>() {
    const Norm<T> b(norm);
    with_channel_pack(b.channels, [&]<int N>() {
      launch("batch_norm", &batch_norm_kernel<T, N>, blocks_for(b.n / N), kThreads, b, y.data<T>());
    });
  });
}

void batch_norm_grad_sums(const BatchNorm& norm, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta) {
  visit_activation(dy.dtype(), "batch_norm_grad_sums", [&]<class T>() {
    const Norm<T> b(norm);
    column_sums<T, 2>("batch_norm_grad_sums", b.n, b.channels, ParameterGradients<T>{b, dy.data<T>()},
                      StoreGradients<T>{dgamma.data<Wide<T>>(), dbeta.data<Wide<T>>()});
  });
}

void batch_norm_grad_input(const BatchNorm& norm, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta,
                           bool training, const Tensor& dx) {
  visit_activation(dy.dtype(), "batch_norm_grad_input", [&]<class T>() {
    const Norm<T> b(norm);
    const Wide<T> per_value = training ? Wide<T>(double(b.channels) / double(b.n)) : 0;
    with_channel_pack(b.channels, [&]<int N>() {
      launch("batch_norm_grad_input", &grad_input_kernel<T, N>, blocks_for(b.n / N), kThreads, b, dy.data<T>(),
             dgamma.data<Wide<T>>(), dbeta.data<Wide<T>>(), per_value, dx.data<T>());
    });
  });
}

void add_norms(Backend& b) {
  b.batch_norm_statistics = batch_norm_statistics;
  b.batch_norm_update = batch_norm_update;
  b.batch_norm = batch_norm;
  b.batch_norm_grad_sums = batch_norm_grad_sums;
  b.batch_norm_grad_input = batch_norm_grad_input;
}

}  // namespace tensor::cuda
