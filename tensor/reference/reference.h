/// The reference backend: naive loops in f32 and f64, the executable specification that every other backend is held to.
#pragma once
#include "tensor/backend.h"

namespace tensor {

/// Every kernel of the contract in its most obvious form, one file a chapter. Compiled without contraction or
/// machine-specific instructions, so that two machines agree. Fast backends of host memory inherit it and override what
/// is worth speeding up.
class ReferenceBackend : public Backend {
 public:
  // memory.cpp
  void* reserve_arena(int64_t& limit) override;
  void copy_from_host(void* to, const void* host, int64_t bytes) override;
  void copy_to_host(void* host, const void* from, int64_t bytes) override;
  void copy(void* to, const void* from, int64_t bytes) override;
  void synchronize() override;

  // elementwise.cpp
  void map(const MapOp& op, const Tensor& x, const Tensor& y) override;
  void zip(const ZipOp& op, const Tensor& a, const Tensor& b, const Tensor& y) override;
  void sum(const Tensor& x, const Tensor& y) override;
  void cast(const Tensor& x, const Tensor& y) override;

  // random.cpp
  void fill(double value, const Tensor& y) override;
  void fill_uniform(const RandomKey& key, double low, double high, const Tensor& y) override;
  void fill_normal(const RandomKey& key, double mean, double deviation, const Tensor& y) override;
  void dropout(const RandomKey& key, double p, const Tensor& x, const Tensor& y) override;

  // matmul.cpp
  void matmul(const MatmulShape& z, const Tensor& a, const Tensor& b, const Tensor& y) override;

  // conv.cpp
  void conv2d(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
              const Tensor& y) override;
  void conv2d_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b,
                         const Tensor& dx) override;
  void conv2d_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw) override;

  // pool.cpp
  void max_pool(const PoolShape& z, const Tensor& x, const Tensor& y, const Tensor& index) override;
  void max_pool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) override;
  void max_unpool(const PoolShape& z, const Tensor& x, const Tensor& index, const Tensor& y) override;
  void max_unpool_grad(const PoolShape& z, const Tensor& dy, const Tensor& index, const Tensor& dx) override;

  // resize.cpp
  void resize(const ResizeShape& z, const Tensor& x, const Tensor& y) override;
  void resize_grad(const ResizeShape& z, const Tensor& dy, const Tensor& dx) override;

  // channels.cpp
  void copy_channels(const Tensor& x, int64_t x_first, int64_t count, const Tensor& y, int64_t y_first) override;
  void batch_norm_statistics(const Tensor& x, const Tensor& mean, const Tensor& variance) override;
  void batch_norm(const BatchNorm& b, const Tensor& y) override;
  void batch_norm_grad_sums(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta) override;
  void batch_norm_grad_input(const BatchNorm& b, const Tensor& dy, const Tensor& dgamma, const Tensor& dbeta,
                             bool training, const Tensor& dx) override;

  // softmax.cpp
  void softmax(const Tensor& x, const Tensor& y) override;
  void softmax_grad(const Tensor& dy, const Tensor& y, const Tensor& dx) override;

  // crf.cpp
  void exact_gaussian(const Tensor& features, const GaussianPass& pass, const Tensor& x, const Tensor& y) override;
  void lattice_gaussian(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y) override;

  // update.cpp
  void adam_step(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v) override;
  void sgd_step(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity) override;
};

}  // namespace tensor
