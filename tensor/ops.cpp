/// Checks, allocations and dispatch of the tensor operations but convolutions.
#include "tensor/ops.h"

#include <cmath>

#include "tensor/dispatch.h"
#include "tensor/op_checks.h"

namespace tensor {
namespace {

void check_image(const char* op, const Shape& x) {
  check(x.rank() == 4, "{}: needs an image [N, H, W, C], got {}", op, x);
}

void check_index(const char* op, const Tensor& index, const Tensor& like) {
  check(index.defined() && index.dtype() == DType::u8, "{}: the index must be u8, as max_pool makes it", op);
  check(index.shape() == like.shape(), "{}: index {} does not fit {}", op, index.shape(), like.shape());
  check(index.device() == like.device(), "{}: index is on {}, data on {}", op, name(index.device()),
        name(like.device()));
}

void check_batch_norm(const char* op, const BatchNorm& b) {
  check_activations(op, {&b.x});
  check_parameters(op, b.x, {&b.mean, &b.rstd, &b.gamma, &b.beta});
  check(b.x.shape().rank() >= 1, "{}: needs a channel axis, got {}", op, b.x.shape());
  const int64_t c = b.x.shape()[-1];
  check_row(op, "mean", b.mean, c);
  check_row(op, "rstd", b.rstd, c);
  check_row(op, "gamma", b.gamma, c);
  check_row(op, "beta", b.beta, c);
}

void check_batch_norm_grad(const char* op, const BatchNorm& b, const Tensor& dy) {
  check_batch_norm(op, b);
  check_activations(op, {&b.x, &dy});
  check_shape(op, "dy", dy.shape(), b.x.shape());
}

ResizeShape resize_shape(const Shape& x, int64_t height, int64_t width, ResizeMode mode) {
  check_image("resize", x);
  check(height >= 1 && width >= 1 && height <= kMaxSide && width <= kMaxSide,
        "resize: target {} x {} must be 1 to {} a side", height, width, kMaxSide);
  check(x[1] >= 1 && x[2] >= 1, "resize: image {} is empty", x);
  return {x[0], x[1], x[2], x[3], height, width, mode};
}

}  // namespace

// ---- making --------------------------------------------------------------------------------------------------------
Tensor full(const Shape& shape, double value, DType dtype, Device device) {
  Tensor y(shape, dtype, device);
  run(&Backend::fill, value, y);
  return y;
}
Tensor zeros(const Shape& shape, DType dtype, Device device) { return full(shape, 0, dtype, device); }
Tensor full_like(const Tensor& like, double value) { return full(like.shape(), value, like.dtype(), like.device()); }
Tensor uniform(const RandomKey& key, const Shape& shape, double low, double high, DType dtype, Device device) {
  Tensor y(shape, dtype, device);
  check_floats("uniform", {&y});
  run(&Backend::fill_uniform, key, low, high, y);
  return y;
}
Tensor normal(const RandomKey& key, const Shape& shape, double mean, double deviation, DType dtype, Device device) {
  Tensor y(shape, dtype, device);
  check_floats("normal", {&y});
  run(&Backend::fill_normal, key, mean, deviation, y);
  return y;
}
Tensor cast(const Tensor& x, DType dtype) {
  check(x.defined(), "cast: the tensor is undefined");
  if (x.dtype() == dtype) return x;
  Tensor y(x.shape(), dtype, x.device());
  run(&Backend::cast, x, y);
  return y;
}
std::vector<Tensor> cast_all(const std::vector<Tensor>& x, DType dtype) {
  std::vector<Tensor> y;
  for (const Tensor& t : x) y.emplace_back(t.shape(), dtype, t.device());
  if (x.empty()) return y;
  const Backend& table = backend(x[0].device());
  if (table.cast_all) {
    for (const Tensor& t : x) check_alike("cast_all", x[0], x[0].dtype(), {&t});
    table.cast_all(x, y);
  } else {
    for (size_t i = 0; i < x.size(); ++i) run(&Backend::cast, x[i], y[i]);
  }
  return y;
}

// ---- element-wise --------------------------------------------------------------------------------------------------
Tensor map(const MapOp& op, Tensor x) {
  check_activations("map", {&x});
  Tensor y = over(x);
  run(&Backend::map, op, x, y);
  return y;
}
Tensor zip(const ZipOp& op, Tensor a, const Tensor& b) {
  check_activations("zip", {&a, &b});
  check(a.shape() == b.shape() || b.size() == 1 || (a.shape().rank() >= 1 && b.shape() == Shape{a.shape()[-1]}),
        "zip: second argument {} must be {}, one row of it, or one element", b.shape(), a.shape());
  Tensor y = over(a);
  run(&Backend::zip, op, a, b, y);
  return y;
}
void map_in(const Tensor& target, const MapOp& op) {
  check_activations("map_in", {&target});
  run(&Backend::map, op, target, target);
}
void add_to(const Tensor& target, const Tensor& x) {
  check_activations("add_to", {&target, &x});
  check_shape("add_to", "argument", x.shape(), target.shape());
  run(&Backend::zip, Add{}, target, x, target);
}
Tensor sum(const Tensor& x) {
  check_activations("sum", {&x});
  Tensor y = wide_like(x, {1});
  run(&Backend::sum, x, y);
  return y;
}
Tensor sum_to_last(const Tensor& x) {
  check_activations("sum_to_last", {&x});
  check(x.shape().rank() >= 1, "sum_to_last: {} has no last axis", x.shape());
  Tensor y = wide_like(x, {x.shape()[-1]});
  run(&Backend::sum, x, y);
  return y;
}
Tensor dropout(const RandomKey& key, double p, const Tensor& x) {
  check_activations("dropout", {&x});
  check(p >= 0 && p < 1, "dropout: probability {} is not in [0, 1)", p);
  Tensor y = like(x);
  run(&Backend::dropout, key, p, x, y);
  return y;
}

// ---- matrix product ------------------------------------------------------------------------------------------------
Tensor matmul(const Tensor& a, const Tensor& b, bool transpose_a, bool transpose_b) {
  check_floats("matmul", {&a, &b});
  check(a.shape().rank() == 2 && b.shape().rank() == 2, "matmul: needs two matrices, got {} and {}", a.shape(),
        b.shape());
  const int64_t m = a.shape()[transpose_a ? 1 : 0], k = a.shape()[transpose_a ? 0 : 1];
  const int64_t kb = b.shape()[transpose_b ? 1 : 0], n = b.shape()[transpose_b ? 0 : 1];
  check(k == kb, "matmul: inner extents differ: {}{} and {}{}", a.shape(), transpose_a ? "^T" : "", b.shape(),
        transpose_b ? "^T" : "");
  Tensor y = like(a, {m, n});
  run(&Backend::matmul, {m, n, k, transpose_a, transpose_b}, a, b, y);
  return y;
}

// ---- windows -------------------------------------------------------------------------------------------------------
PoolShape pool_shape(const Shape& x, int64_t kernel, int64_t stride) {
  check_image("max_pool", x);
  check(kernel >= 1 && kernel <= 15 && stride >= 1 && stride <= kMaxWindowStep,
        "max_pool: kernel {} must be 1 to 15 and stride {} 1 to {}", kernel, stride, kMaxWindowStep);
  check(x[1] >= kernel && x[2] >= kernel, "max_pool: image {} is smaller than its {} x {} window", x, kernel, kernel);
  return {x[0], x[1], x[2], x[3], (x[1] - kernel) / stride + 1, (x[2] - kernel) / stride + 1, kernel, stride};
}
Pooled max_pool(const Tensor& x, int64_t kernel, int64_t stride) {
  check_activations("max_pool", {&x});
  const PoolShape z = pool_shape(x.shape(), kernel, stride);
  Pooled pooled{like(x, {z.n, z.p, z.q, z.c}), Tensor({z.n, z.p, z.q, z.c}, DType::u8, x.device())};
  run(&Backend::max_pool, z, x, pooled.y, pooled.index);
  return pooled;
}
Tensor max_pool_grad(const Tensor& dy, const Tensor& index, const Shape& x, int64_t kernel, int64_t stride) {
  check_activations("max_pool_grad", {&dy});
  const PoolShape z = pool_shape(x, kernel, stride);
  check_shape("max_pool_grad", "dy", dy.shape(), {z.n, z.p, z.q, z.c});
  check_index("max_pool_grad", index, dy);
  Tensor dx = like(dy, x);
  run(&Backend::max_pool_grad, z, dy, index, dx);
  return dx;
}
Tensor max_unpool(const Tensor& x, const Tensor& index, const Shape& y, int64_t kernel, int64_t stride) {
  check_activations("max_unpool", {&x});
  const PoolShape z = pool_shape(y, kernel, stride);
  check_shape("max_unpool", "x", x.shape(), {z.n, z.p, z.q, z.c});
  check_index("max_unpool", index, x);
  Tensor out = like(x, y);
  run(&Backend::max_unpool, z, x, index, out);
  return out;
}
Tensor max_unpool_grad(const Tensor& dy, const Tensor& index, int64_t kernel, int64_t stride) {
  check_activations("max_unpool_grad", {&dy});
  const PoolShape z = pool_shape(dy.shape(), kernel, stride);
  Tensor dx = like(dy, {z.n, z.p, z.q, z.c});
  check_index("max_unpool_grad", index, dx);
  run(&Backend::max_unpool_grad, z, dy, index, dx);
  return dx;
}
Tensor resize(const Tensor& x, int64_t height, int64_t width, ResizeMode mode) {
  check_activations("resize", {&x});
  const ResizeShape z = resize_shape(x.shape(), height, width, mode);
  Tensor y = like(x, {z.n, z.p, z.q, z.c});
  run(&Backend::resize, z, x, y);
  return y;
}
Tensor resize_grad(const Tensor& dy, const Shape& x, ResizeMode mode) {
  check_activations("resize_grad", {&dy});
  check_image("resize_grad", dy.shape());
  const ResizeShape z = resize_shape(x, dy.shape()[1], dy.shape()[2], mode);
  check_shape("resize_grad", "dy", dy.shape(), {z.n, z.p, z.q, z.c});
  Tensor dx = like(dy, x);
  run(&Backend::resize_grad, z, dy, dx);
  return dx;
}

// ---- channels ------------------------------------------------------------------------------------------------------
Tensor concat(const std::vector<Tensor>& parts) {
  const Shape joined = joined_shape("concat", parts);
  const Tensor& first = parts.front();
  Tensor y = like(first, joined);
  int64_t at = 0;
  for (const Tensor& part : parts) {
    const int64_t count = part.shape()[-1];
    run(&Backend::copy_channels, {part, 0, count}, {y, at, count});
    at += count;
  }
  return y;
}
Tensor scale_filters(const Tensor& w, const std::vector<double>& scale) {
  check_floats("scale_filters", {&w});
  check(w.shape().rank() >= 1 && w.shape()[0] == int64_t(scale.size()), "scale_filters: {} scales for weights {}",
        scale.size(), w.shape());
  if (backend(w.device()).scale_filters) {
    Tensor y = like(w);
    backend(w.device()).scale_filters(w, Tensor::from(scale, {int64_t(scale.size())}, w.device()), y);
    return y;
  }
  std::vector<double> values = w.to_vector();
  const size_t in_filter = scale.empty() ? 0 : values.size() / scale.size();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= scale[i / in_filter];
  return visit_float(w.dtype(), "scale_filters", [&]<class T>() {
    return Tensor::from(std::vector<T>(values.begin(), values.end()), w.shape(), w.device());
  });
}
Tensor channels(const Tensor& x, int64_t first, int64_t count) {
  check_activations("channels", {&x});
  check(x.shape().rank() >= 1 && first >= 0 && count >= 1 && first + count <= x.shape()[-1],
        "channels: [{}, {}) is not within {}", first, first + count, x.shape());
  Tensor y = like(x, x.shape().with(-1, count));
  run(&Backend::copy_channels, {x, first, count}, {y, 0, count});
  return y;
}
Statistics batch_norm_statistics(const Tensor& x) {
  check_activations("batch_norm_statistics", {&x});
  check(x.size() > 0, "batch_norm_statistics: {} is empty", x.shape());
  Statistics s{wide_like(x, {x.shape()[-1]}), wide_like(x, {x.shape()[-1]})};
  run(&Backend::batch_norm_statistics, x, s.mean, s.variance);
  return s;
}
Standardization batch_norm_update(const RunningUpdate& u, const Tensor& x, const Tensor& running_mean,
                                  const Tensor& running_variance) {
  for (const Tensor* t : {&running_mean, &running_variance})
    check_row("batch_norm_update", "running value", *t, x.shape()[-1]);
  if (backend(x.device()).batch_norm_update) {
    check_activations("batch_norm_update", {&x});
    check(x.size() > 0, "batch_norm_update: {} is empty", x.shape());
    Standardization s{wide_like(x, {x.shape()[-1]}), wide_like(x, {x.shape()[-1]})};
    run(&Backend::batch_norm_update, u, x, running_mean, running_variance, s.mean, s.rstd);
    return s;
  }
  const Statistics batch = batch_norm_statistics(x);
  const auto move = [&](const Tensor& running, const Tensor& value, double scale) {
    map_in(running, Affine{1 - u.momentum, 0});
    add_to(running, cast(map(Affine{u.momentum * scale, 0}, value), running.dtype()));
  };
  move(running_mean, batch.mean, 1);
  move(running_variance, batch.variance, u.correction);
  return {batch.mean, map(Rsqrt{u.epsilon}, batch.variance)};
}
Tensor batch_norm(const BatchNorm& b) {
  check_batch_norm("batch_norm", b);
  Tensor y = like(b.x);
  run(&Backend::batch_norm, b, y);
  return y;
}
BatchNormSums batch_norm_grad_sums(const BatchNorm& b, const Tensor& dy) {
  check_batch_norm_grad("batch_norm_grad_sums", b, dy);
  BatchNormSums s{like(b.gamma), like(b.gamma)};
  run(&Backend::batch_norm_grad_sums, b, dy, s.dgamma, s.dbeta);
  return s;
}
Tensor batch_norm_grad_input(const BatchNorm& b, Tensor dy, const BatchNormSums& s, bool training) {
  check_batch_norm_grad("batch_norm_grad_input", b, dy);
  check_parameters("batch_norm_grad_input", dy, {&s.dgamma, &s.dbeta});
  check_row("batch_norm_grad_input", "dgamma", s.dgamma, b.gamma.size());
  check_row("batch_norm_grad_input", "dbeta", s.dbeta, b.gamma.size());
  Tensor dx = over(dy);
  run(&Backend::batch_norm_grad_input, b, dy, s.dgamma, s.dbeta, training, dx);
  return dx;
}

// ---- classes -------------------------------------------------------------------------------------------------------
Tensor softmax(const Tensor& x) {
  check_floats("softmax", {&x});
  check(x.shape().rank() >= 1, "softmax: {} has no last axis", x.shape());
  Tensor y = like(x);
  run(&Backend::softmax, x, y);
  return y;
}
Tensor softmax_grad(const Tensor& dy, const Tensor& y) {
  check_floats("softmax_grad", {&dy, &y});
  check_shape("softmax_grad", "dy", dy.shape(), y.shape());
  Tensor dx = like(dy);
  run(&Backend::softmax_grad, dy, y, dx);
  return dx;
}

namespace {

/// The shape of one value a row of z [..., C], which `classes` must have.
Shape shape_of_classes(const char* op, const Tensor& z, const Tensor& classes) {
  check_floats(op, {&z});
  check(z.shape().rank() >= 2 && z.shape()[-1] >= 1, "{}: needs [..., classes], got {}", op, z.shape());
  check(classes.defined() && classes.dtype() == DType::i32 && classes.device() == z.device(),
        "{}: the classes must be i32 and on {}", op, name(z.device()));
  const Shape rows(std::vector<int64_t>(z.shape().begin(), z.shape().end() - 1));
  check_shape(op, "the tensor of classes", classes.shape(), rows);
  return rows;
}

}  // namespace

Tensor cross_entropy(const Tensor& z, const Tensor& classes) {
  const Shape wanted = shape_of_classes("cross_entropy", z, classes);
  const int64_t count = z.shape()[-1], rows = z.size() / count;
  if (z.device() == Device::reference || z.device() == Device::cpu)
    for (int64_t i = 0; i < rows; ++i) {
      const int32_t t = classes.data<int32_t>()[i];
      check(t >= 0 && t < count, "cross_entropy: class {} at place {} is not one of the {} of {}, 0 to {}", t, i, count,
            z.shape(), count - 1);
    }
  Tensor y = like(z, wanted);
  run(&Backend::cross_entropy, z, classes, y);
  return y;
}
Tensor cross_entropy_grad(const Tensor& z, const Tensor& classes) {
  shape_of_classes("cross_entropy_grad", z, classes);
  Tensor dz = like(z);
  run(&Backend::cross_entropy_grad, z, classes, dz);
  return dz;
}

// ---- update --------------------------------------------------------------------------------------------------------
void adam_step(const AdamStep& s, const Tensor& g, const Tensor& w, const Tensor& m, const Tensor& v) {
  check_floats("adam_step", {&w, &g, &m, &v});
  check(s.step >= 1, "adam_step: step {} must count from 1", s.step);
  for (const Tensor* t : {&g, &m, &v}) check_shape("adam_step", "argument", t->shape(), w.shape());
  run(&Backend::adam_step, s, g, w, m, v);
}
void adam_steps(const std::vector<AdamUpdate>& updates) {
  if (updates.empty()) return;
  const Backend& table = backend(updates[0].w.device());
  if (!table.adam_steps) {
    for (const AdamUpdate& u : updates) adam_step(u.step, u.g, u.w, u.m, u.v);
    return;
  }
  for (const AdamUpdate& u : updates) {
    check_floats("adam_steps", {&updates[0].w, &u.w, &u.g, &u.m, &u.v});
    check(u.step.step >= 1, "adam_steps: step {} must count from 1", u.step.step);
    for (const Tensor* t : {&u.g, &u.m, &u.v}) check_shape("adam_steps", "argument", t->shape(), u.w.shape());
  }
  table.adam_steps(updates);
}
Tensor non_finite(const std::vector<Tensor>& x) {
  check(!x.empty(), "non_finite: no tensors");
  if (const Backend& table = backend(x[0].device()); table.non_finite) {
    for (const Tensor& t : x) check_floats("non_finite", {&x[0], &t});
    Tensor y = like(x[0], {int64_t(x.size())});
    table.non_finite(x, y);
    return y;
  }
  std::vector<Tensor> sums;
  for (const Tensor& t : x) sums.push_back(sum(t));
  return concat(sums);
}
void sgd_step(const SgdStep& s, const Tensor& g, const Tensor& w, const Tensor& velocity) {
  check_floats("sgd_step", {&w, &g, &velocity});
  for (const Tensor* t : {&g, &velocity}) check_shape("sgd_step", "argument", t->shape(), w.shape());
  run(&Backend::sgd_step, s, g, w, velocity);
}

}  // namespace tensor
