/// The CUDA backend: the contract's tensors become pointers, shapes and workspaces for the kernels.
#include "tensor/backend.h"
#include "tensor/precision.h"
#include "tensor/visit_number.h"

#include "tensor/cuda/convolution.h"
#include "tensor/cuda/gemm.h"
#include "tensor/cuda/kernels.h"
#include "tensor/cuda/recording.h"
#include "tensor/cuda/runtime.h"
#include "tensor/cuda/staging.h"
#include "tensor/cuda/visit_activation.h"

namespace tensor {
namespace {

using cuda::check_cuda;
using cuda::stream;
using cuda::visit_activation;

Tensor workspace(int64_t count, DType dtype) { return Tensor({count}, dtype, Device::cuda); }

template <class T>
T* or_null(const Tensor& t) {
  return t.defined() ? t.data<T>() : nullptr;
}

template <class T>
cuda::Norm<T> norm(const BatchNorm& b) {
  using W = Wide<T>;
  return {b.x.data<T>(),    b.mean.data<W>(), b.rstd.data<W>(), b.gamma.data<W>(),
          b.beta.data<W>(), b.x.size(),       b.mean.size(),    b.activation == Activation::relu};
}

/// The image of the batch that the pass is about.
template <class T>
cuda::Filtering<T> filtering(const GaussianPass& pass, int64_t points, const Tensor& x, const Tensor& y) {
  const int64_t channels = x.shape()[-1], first = pass.image * points * channels;
  return {points,
          channels,
          pass.transpose,
          or_null<T>(pass.before),
          or_null<T>(pass.after),
          x.data<T>() + first,
          y.data<T>() + first};
}

class CudaBackend final : public Backend {
 public:
  /// Nine tenths of what is free now; the rest stays for the driver, cuBLAS and other processes.
  void* reserve_arena(int64_t& limit) override {
    cuda::device();
    size_t free_bytes = 0, total = 0;
    check_cuda(cudaMemGetInfo(&free_bytes, &total), "cudaMemGetInfo");
    limit = int64_t(free_bytes / 10 * 9 / 256 * 256);
    char* arena = nullptr;
    // Free memory may be in pieces: what cannot be had in one is asked for with a tenth less.
    while (cudaMalloc(&arena, size_t(limit)) != cudaSuccess) {
      cudaGetLastError();
      limit = limit / 10 * 9 / 256 * 256;
      if (limit < int64_t(64) << 20)
        throw CudaError(
            fmt::format("device cuda: {} has no memory left ({:.0f} of {:.0f} MiB free); nvidia-smi "
                        "lists the processes that hold it",
                        cuda::device().name, double(free_bytes) / (1 << 20), double(total) / (1 << 20)));
    }
    return arena;
  }
  std::vector<std::pair<std::string, std::string>> facts() override { return cuda::facts(); }
  int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass, DType dtype) override {
    return cuda::conv_workspace_bytes(z, pass, dtype);
  }
  void copy_from_host(void* to, const void* host, int64_t bytes) override {
    check(!cuda::recording(), "record: a copy of {} bytes from the host cannot be recorded", bytes);
    cuda::copy_from_host(to, host, bytes);
  }
  void copy_to_host(void* host, const void* from, int64_t bytes) override {
    check(!cuda::recording(), "record: a copy of {} bytes to the host cannot be recorded", bytes);
    check_cuda(cudaMemcpyAsync(host, from, size_t(bytes), cudaMemcpyDeviceToHost, stream()), "cudaMemcpyAsync");
    synchronize();
  }
  void copy(void* to, const void* from, int64_t bytes) override {
    check_cuda(cudaMemcpyAsync(to, from, size_t(bytes), cudaMemcpyDeviceToDevice, stream()), "cudaMemcpyAsync");
  }
  void synchronize() override {
    check(!cuda::recording(), "record: waiting for the device cannot be recorded");
    check_cuda(cudaStreamSynchronize(stream()), "cudaStreamSynchronize");
  }

  /// Before 8.0 there are neither tensor cores nor conversions for bf16.
  DType activation_type(DType parameters) const override {
    const bool stored = precision() == Precision::bf16 && parameters == DType::f32 && cuda::device().major >= 8;
    return stored ? DType::bf16 : parameters;
  }

  void map(const MapOp& op, const Tensor& x, const Tensor& y) override {
    visit_activation(x.dtype(), "map", [&]<class T>() { cuda::map(op, x.data<T>(), y.data<T>(), x.size()); });
  }
  void zip(const ZipOp& op, const Tensor& a, const Tensor& b, const Tensor& y) override {
    visit_activation(a.dtype(), "zip",
                     [&]<class T>() { cuda::zip(op, a.data<T>(), b.data<T>(), b.size(), y.data<T>(), a.size()); });
  }
  void sum(const Tensor& x, const Tensor& y) override {
    if (x.size() == 0) return fill(0, y);
    visit_activation(x.dtype(), "sum", [&]<class T>() {
      const Tensor sums = workspace(cuda::column_sums_workspace<T>(x.size(), y.size(), 1), DType::f64);
      cuda::sum(x.data<T>(), x.size(), y.size(), sums.data<double>(), y.data<Wide<T>>());
    });
  }
  void cast(const Tensor& x, const Tensor& y) override {
    const auto from_to = [&]<class From, class To>() { cuda::cast(x.data<From>(), y.data<To>(), x.size()); };
    if (x.dtype() == DType::bf16)
      return visit_float(y.dtype(), "cast", [&]<class To>() { from_to.template operator()<BFloat16, To>(); });
    if (y.dtype() == DType::bf16)
      return visit_float(x.dtype(), "cast", [&]<class From>() { from_to.template operator()<From, BFloat16>(); });
    visit_number(x.dtype(), "cast", [&]<class From>() {
      visit_number(y.dtype(), "cast", [&]<class To>() { from_to.template operator()<From, To>(); });
    });
  }
  void fill(double value, const Tensor& y) override {
    if (y.dtype() == DType::bf16) return cuda::fill(BFloat16(float(value)), y.data<BFloat16>(), y.size());
    visit_number(y.dtype(), "fill", [&]<class T>() { cuda::fill(T(value), y.data<T>(), y.size()); });
  }
  void fill_uniform(const RandomKey& key, double low, double high, const Tensor& y) override {
    visit_float(y.dtype(), "uniform", [&]<class T>() { cuda::fill_uniform(key, low, high, y.data<T>(), y.size()); });
  }
  void fill_normal(const RandomKey& key, double mean, double deviation, const Tensor& y) override {
    visit_float(y.dtype(), "normal",
                [&]<class T>() { cuda::fill_normal(key, mean, deviation, y.data<T>(), y.size()); });
  }
  void dropout(const RandomKey& key, double p, const Tensor& x, const Tensor& y) override {
    visit_activation(x.dtype(), "dropout", [&]<class T>() {
      cuda::dropout(key, cuda::recorded_random_step(), p, x.data<T>(), y.data<T>(), x.size());
    });
  }

  void matmul(const MatmulShape& z, const Tensor& a, const Tensor& b, const Tensor& y) override {
    if (z.k == 0) return fill(0, y);
    visit_float(a.dtype(), "matmul", [&]<class T>() { cuda::matmul(z, a.data<T>(), b.data<T>(), y.data<T>()); });
  }

  void conv2d(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
              const Tensor& y) override {
    cuda::convolve(z, x, w, b, activation, y);
  }
  void conv2d_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b,
                         const Tensor& dx) override {
    cuda::convolve_grad_input(z, dy, w, b, dx);
  }
  void conv2d_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw) override {
    cuda::convolve_grad_weight(z, dy, x, dw);
  }

  void max_pool(const PoolShape& z, const Tensor& x, const Tensor& y, const Tensor& index) override {
    visit_activation(x.dtype(), "max_pool",
                     [&]<class T>() { cuda::max_pool(z, x.data<T>(), y.data<T>(), or_null<uint8_t>(index)); });
  }
  void max_pool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) override {
    visit_activation(dy.dtype(), "max_pool_grad",
                     [&]<class T>() { cuda::max_pool_grad(z, dy.data<T>(), index.data<uint8_t>(), dx.data<T>()); });
  }
  void max_unpool(const PoolShape& z, const Tensor& x, const Tensor& index, const Tensor& y) override {
    visit_activation(x.dtype(), "max_unpool",
                     [&]<class T>() { cuda::max_unpool(z, x.data<T>(), index.data<uint8_t>(), y.data<T>()); });
  }
  void max_unpool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) override {
    visit_activation(dy.dtype(), "max_unpool_grad",
                     [&]<class T>() { cuda::max_unpool_grad(z, dy.data<T>(), index.data<uint8_t>(), dx.data<T>()); });
  }
  void resize(const ResizeShape& z, const Tensor& x, const Tensor& y) override {
    visit_activation(x.dtype(), "resize", [&]<class T>() { cuda::resize(z, x.data<T>(), y.data<T>()); });
  }
  void resize_grad(const ResizeShape& z, const Tensor& dy, const Tensor& dx) override {
    visit_activation(dy.dtype(), "resize_grad", [&]<class T>() { cuda::resize_grad(z, dy.data<T>(), dx.data<T>()); });
  }

  void copy_channels(const Tensor& x, int64_t x_first, int64_t count, const Tensor& y, int64_t y_first) override {
    if (x.size() == 0 || count == 0) return;
    const int64_t x_channels = x.shape()[-1];
    cuda::copy_channels(int64_t(size_of(x.dtype())), x.raw(), x_channels, x_first, count, y.raw(), y.shape()[-1],
                        y_first, x.size() / x_channels);
  }
  void batch_norm_statistics(const Tensor& x, const Tensor& mean, const Tensor& variance) override {
    visit_activation(x.dtype(), "batch_norm_statistics", [&]<class T>() {
      const Tensor sums = workspace(cuda::column_sums_workspace<T>(x.size(), mean.size(), 2), DType::f64);
      cuda::batch_norm_statistics(x.data<T>(), x.size(), mean.size(), sums.data<double>(), mean.data<Wide<T>>(),
                                  variance.data<Wide<T>>());
    });
  }
  void batch_norm(const BatchNorm& b, const Tensor& y) override {
    visit_activation(b.x.dtype(), "batch_norm", [&]<class T>() { cuda::batch_norm(norm<T>(b), y.data<T>()); });
  }
  void batch_norm_grad_sums(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta) override {
    visit_activation(dy.dtype(), "batch_norm_grad_sums", [&]<class T>() {
      const Tensor sums = workspace(cuda::column_sums_workspace<T>(dy.size(), dgamma.size(), 2), DType::f64);
      cuda::batch_norm_grad_sums(norm<T>(b), dy.data<T>(), sums.data<double>(), dgamma.data<Wide<T>>(),
                                 dbeta.data<Wide<T>>());
    });
  }
  void batch_norm_grad_input(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta,
                             bool training, const Tensor& dx) override {
    visit_activation(dy.dtype(), "batch_norm_grad_input", [&]<class T>() {
      cuda::batch_norm_grad_input(norm<T>(b), dy.data<T>(), dgamma.data<Wide<T>>(), dbeta.data<Wide<T>>(), training,
                                  dx.data<T>());
    });
  }

  void softmax(const Tensor& x, const Tensor& y) override {
    const int64_t classes = x.shape()[-1];
    if (x.size() == 0) return;
    visit_float(x.dtype(), "softmax",
                [&]<class T>() { cuda::softmax(x.data<T>(), y.data<T>(), x.size() / classes, classes); });
  }
  void softmax_grad(const Tensor& dy, const Tensor& y, const Tensor& dx) override {
    const int64_t classes = dy.shape()[-1];
    if (dy.size() == 0) return;
    visit_float(dy.dtype(), "softmax_grad", [&]<class T>() {
      cuda::softmax_grad(dy.data<T>(), y.data<T>(), dx.data<T>(), dy.size() / classes, classes);
    });
  }

  void exact_gaussian(const Tensor& features, const GaussianPass& pass, const Tensor& x, const Tensor& y) override {
    visit_float(x.dtype(), "exact_gaussian", [&]<class T>() {
      cuda::exact_gaussian(filtering<T>(pass, features.shape()[0], x, y), features.data<T>(), features.shape()[1]);
    });
  }
  void lattice_gaussian(const Lattice& l, const GaussianPass& pass, const Tensor& x, const Tensor& y) override {
    const int64_t channels = x.shape()[-1];
    const Tensor buffers({2, l.vertices + 1, channels}, x.dtype(), Device::cuda);
    visit_float(x.dtype(), "lattice_gaussian", [&]<class T>() {
      cuda::lattice_gaussian<T>(filtering<T>(pass, l.points, x, y), {.axes = l.axes(),
                                                                     .vertices = l.vertices,
                                                                     .vertex = l.vertex.data<int32_t>(),
                                                                     .neighbour = l.neighbour.data<int32_t>(),
                                                                     .splat_start = l.splat_start.data<int32_t>(),
                                                                     .splat_corner = l.splat_corner.data<int32_t>(),
                                                                     .weight = l.weight.data<T>(),
                                                                     .buffers = buffers.data<T>()});
    });
  }

  void adam_step(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v) override {
    const AdamFactors factors = adam_factors(s);
    const cuda::Adam adam{.rate = factors.rate,
                          .correction = factors.correction,
                          .beta1 = s.beta1,
                          .beta2 = s.beta2,
                          .epsilon = s.epsilon,
                          .weight_decay = s.weight_decay};
    visit_float(w.dtype(), "adam_step", [&]<class T>() {
      cuda::adam_step(adam, g.data<T>(), w.data<T>(), m.data<T>(), v.data<T>(), w.size());
    });
  }
  void sgd_step(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity) override {
    visit_float(w.dtype(), "sgd_step", [&]<class T>() {
      cuda::sgd_step(s.learning_rate, s.momentum, s.weight_decay, g.data<T>(), w.data<T>(), velocity.data<T>(),
                     w.size());
    });
  }
};

}  // namespace

Backend& cuda_backend() {
  static CudaBackend the_one;
  return the_one;
}

}  // namespace tensor
