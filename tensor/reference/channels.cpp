/// Kernels along the last axis: copying channels and batch normalisation.
#include <cstring>
#include <vector>

#include "tensor/backend.h"

namespace tensor::reference {

void copy_channels(const ChannelRange& x, const ChannelRange& y) {
  if (x.image.size() == 0 || x.count == 0) return;
  const int64_t x_channels = x.image.shape()[-1], y_channels = y.image.shape()[-1], rows = x.image.size() / x_channels;
  const size_t element = size_of(x.image.dtype());
  const char* from = static_cast<const char*>(x.image.raw());
  char* to = static_cast<char*>(y.image.raw());
  for (int64_t i = 0; i < rows; ++i)
    std::memcpy(to + size_t(i * y_channels + y.first) * element, from + size_t(i * x_channels + x.first) * element,
                size_t(x.count) * element);
}

void batch_norm_statistics(const Tensor& x, const Tensor& mean, const Tensor& variance) {
  visit_float(x.dtype(), "batch_norm_statistics", [&]<class T>() {
    const T* X = x.data<T>();
    const int64_t channels = mean.size(), rows = x.size() / channels;
    for (int64_t c = 0; c < channels; ++c) {
      double sum = 0, squares = 0;
      for (int64_t i = c; i < x.size(); i += channels) sum += X[i];
      const double center = sum / double(rows);
      for (int64_t i = c; i < x.size(); i += channels) squares += (X[i] - center) * (X[i] - center);
      mean.data<T>()[c] = T(center);
      variance.data<T>()[c] = T(squares / double(rows));
    }
  });
}

namespace {

/// The operands of one batch norm as plain pointers, and the two values that every pass computes from them.
template <class T>
struct Normalised {
  const T *x, *mean, *rstd, *gamma, *beta;
  int64_t channels;
  bool relu;
  explicit Normalised(const BatchNorm& b)
      : x(b.x.data<T>()),
        mean(b.mean.data<T>()),
        rstd(b.rstd.data<T>()),
        gamma(b.gamma.data<T>()),
        beta(b.beta.data<T>()),
        channels(b.mean.size()),
        relu(b.activation == Activation::relu) {}
  T xhat(int64_t i) const { return (x[i] - mean[i % channels]) * rstd[i % channels]; }
  T z(int64_t i) const { return gamma[i % channels] * xhat(i) + beta[i % channels]; }
  T dz(int64_t i, T dy) const { return relu ? ReluGrad{}(dy, z(i)) : dy; }
};

}  // namespace

void batch_norm(const BatchNorm& b, const Tensor& y) {
  visit_float(b.x.dtype(), "batch_norm", [&]<class T>() {
    const Normalised<T> in(b);
    T* Y = y.data<T>();
    for (int64_t i = 0; i < y.size(); ++i) Y[i] = in.relu ? Relu{}(in.z(i)) : in.z(i);
  });
}

void batch_norm_grad_sums(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta) {
  visit_float(b.x.dtype(), "batch_norm_grad_sums", [&]<class T>() {
    const Normalised<T> in(b);
    const T* DY = dy.data<T>();
    for (int64_t c = 0; c < in.channels; ++c) {
      double sum = 0, product = 0;
      for (int64_t i = c; i < dy.size(); i += in.channels) {
        const double dz = in.dz(i, DY[i]);
        sum += dz;
        product += dz * double(in.xhat(i));
      }
      dbeta.data<T>()[c] = T(sum);
      dgamma.data<T>()[c] = T(product);
    }
  });
}

void batch_norm_grad_input(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta,
                           bool training, const Tensor& dx) {
  visit_float(b.x.dtype(), "batch_norm_grad_input", [&]<class T>() {
    const Normalised<T> in(b);
    const T *DY = dy.data<T>(), *DG = dgamma.data<T>(), *DB = dbeta.data<T>();
    T* DX = dx.data<T>();
    const T rows = T(dx.size() / in.channels);
    for (int64_t i = 0; i < dx.size(); ++i) {
      const int64_t c = i % in.channels;
      T dz = in.dz(i, DY[i]);
      if (training) dz = dz - DB[c] / rows - in.xhat(i) * DG[c] / rows;
      DX[i] = in.gamma[c] * in.rstd[c] * dz;
    }
  });
}

void add_channels(Backend& b) {
  b.copy_channels = copy_channels;
  b.batch_norm_statistics = batch_norm_statistics;
  b.batch_norm = batch_norm;
  b.batch_norm_grad_sums = batch_norm_grad_sums;
  b.batch_norm_grad_input = batch_norm_grad_input;
}

}  // namespace tensor::reference
