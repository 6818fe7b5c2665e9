/// The fast CPU kernels against the f64 reference on awkward shapes, and the same bits for any number of threads.
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <string>

#include "tensor/ops.h"

namespace {

using namespace tensor;

using Tensors = std::vector<Tensor>;
/// One kernel by its name: inputs in [-1, 1) of these shapes, and what is made of them on whatever device they lie.
struct Case {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Tensors(const Tensors&)> run;
};

/// Fills freed memory with NaN, so that an element that a kernel forgets does not happen to hold the right value.
void poison() { const Tensor t = full({1 << 20}, std::numeric_limits<double>::quiet_NaN(), DType::f32, Device::cpu); }

double relative_error(const Tensor& got, const Tensor& want) {
  const std::vector<double> a = got.to_vector(), b = want.to_vector();
  double error = 0, scale = 0;
  for (size_t i = 0; i < b.size(); ++i) {
    error += (a[i] - b[i]) * (a[i] - b[i]);
    scale += b[i] * b[i];
  }
  return std::sqrt(error) / std::max(std::sqrt(scale), 1e-30);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.shape() == b.shape() && std::memcmp(a.raw(), b.raw(), size_t(a.bytes())) == 0;
}

void check_case(const Case& c) {
  CAPTURE(c.name);
  Tensors wide, fast;
  for (size_t i = 0; i < c.inputs.size(); ++i) {
    const Tensor x = uniform({.seed = 7, .stream = uint32_t(i)}, c.inputs[i], -1, 1, DType::f32, Device::reference);
    wide.push_back(cast(x, DType::f64));
    fast.push_back(x.to(Device::cpu));
  }
  const Tensors want = c.run(wide);
  const int before = threads();
  set_threads(1);
  poison();
  const Tensors got = c.run(fast);
  for (size_t i = 0; i < want.size(); ++i) {
    CAPTURE(i);
    CHECK(got[i].shape() == want[i].shape());
    CHECK(relative_error(got[i], want[i]) < 2e-6);
  }
  for (const int n : {2, 3}) {
    set_threads(n);
    poison();
    const Tensors again = c.run(fast);
    for (size_t i = 0; i < got.size(); ++i) CHECK(same_bits(got[i], again[i]));
  }
  set_threads(before);
}

const std::vector<int64_t> kChannels = {1, 2, 3, 7, 16, 17, 33, 64, 65, 300};

std::string named(const char* kernel, const Shape& s) { return fmt::format("{} {}", kernel, s); }

TEST_CASE("cpu element-wise kernels agree with the reference") {
  const std::vector<MapOp> maps = {Affine{2.5, -0.25}, Relu{}, Sigmoid{}, Exp{}, Threshold{0.1}};
  const std::vector<ZipOp> zips = {Add{},
                                   Subtract{},
                                   Multiply{},
                                   ReluGrad{},
                                   SigmoidGrad{},
                                   SquaredDifference{},
                                   BinaryCrossEntropyWithLogits{},
                                   BinaryCrossEntropyWithLogitsGrad{}};
  for (const Shape& s : {Shape{1}, Shape{5, 3}, Shape{2, 131, 129, 3}, Shape{70001}}) {
    for (const MapOp& op : maps)
      check_case({named("map", s), {s}, [&](const Tensors& in) { return Tensors{map(op, in[0])}; }});
    check_case({named("log", s), {s}, [](const Tensors& in) {
                  return Tensors{map(Log{}, map(Affine{.scale = 0.4, .shift = 0.6}, in[0]))};
                }});
    for (const ZipOp& op : zips) {
      check_case({named("zip", s), {s, s}, [&](const Tensors& in) { return Tensors{zip(op, in[0], in[1])}; }});
      check_case(
          {named("zip row", s), {s, {s[-1]}}, [&](const Tensors& in) { return Tensors{zip(op, in[0], in[1])}; }});
      check_case({named("zip scalar", s), {s, {1}}, [&](const Tensors& in) { return Tensors{zip(op, in[0], in[1])}; }});
    }
    check_case({named("cross entropy", s), {s, s}, [](const Tensors& in) {
                  const Tensor p = map(Affine{.scale = 0.45, .shift = 0.5}, in[0]);
                  return Tensors{zip(BinaryCrossEntropy{}, p, in[1]), zip(BinaryCrossEntropyGrad{}, p, in[1])};
                }});
  }
}

TEST_CASE("cpu kernels may work in place where the contract says so") {
  const Tensor x = uniform({.seed = 3}, {3, 40000}, -1, 1, DType::f32, Device::cpu);
  const Tensor other = uniform({.seed = 4}, {3, 40000}, -1, 1, DType::f32, Device::cpu);
  Backend& cpu = backend(Device::cpu);
  const Tensor y = x.clone(), left = x.clone(), right = other.clone(), dropped = x.clone(), soft = x.clone();
  cpu.map(Sigmoid{}, y, y);
  CHECK(same_bits(y, map(Sigmoid{}, x)));
  cpu.zip(Subtract{}, left, other, left);
  CHECK(same_bits(left, zip(Subtract{}, x, other)));
  cpu.zip(Subtract{}, x, right, right);
  CHECK(same_bits(right, left));
  cpu.dropout({.seed = 5}, 0.3, dropped, dropped);
  CHECK(same_bits(dropped, dropout({.seed = 5}, 0.3, x)));
  cpu.softmax(soft, soft);
  CHECK(same_bits(soft, softmax(x)));
}

TEST_CASE("cpu random kernels give the numbers of the reference") {
  const RandomKey key{.seed = 0x123456789abcull, .stream = 4, .step = 9};
  for (const int64_t n : {1, 5, 127, 128, 129, 40003}) {
    CAPTURE(n);
    CHECK(same_bits(uniform(key, {n}, 0, 1, DType::f32, Device::cpu),
                    uniform(key, {n}, 0, 1, DType::f32, Device::reference)));
    CHECK(relative_error(normal(key, {n}, 1, 2, DType::f32, Device::cpu),
                         normal(key, {n}, 1, 2, DType::f64, Device::reference)) < 1e-6);
    for (const double p : {0.0, 0.25, 0.5, 0.9})
      check_case({fmt::format("dropout {} {}", n, p), {{n}}, [&](const Tensors& in) {
                    return Tensors{dropout(key, p, in[0])};
                  }});
  }
}

TEST_CASE("cpu sums and batch norm agree with the reference") {
  for (const int64_t c : kChannels)
    for (const Shape& s : {Shape{1, 1, 2, c}, Shape{3, 5, 7, c}, Shape{2, 61, 53, c}}) {
      check_case({named("sum", s), {s}, [](const Tensors& in) {
                    const Tensor x = map(Affine{.scale = 1, .shift = 1.5}, in[0]);
                    return Tensors{sum(x), sum_to_last(x)};
                  }});
      check_case({named("statistics", s), {s}, [](const Tensors& in) {
                    const Statistics z = batch_norm_statistics(in[0]);
                    return Tensors{z.mean, z.variance};
                  }});
      for (const Activation activation : {Activation::none, Activation::relu})
        for (const bool training : {true, false})
          check_case({named("batch_norm", s), {s, s, {c}, {c}, {c}, {c}}, [&](const Tensors& in) {
                        const Tensor rstd = map(Affine{.scale = 0.5, .shift = 1}, in[3]);
                        const BatchNorm b{in[0], in[2], rstd, in[4], in[5], activation};
                        const BatchNormGradients d = batch_norm_grad(b, in[1], training);
                        return Tensors{batch_norm(b), d.dx, d.dgamma, d.dbeta};
                      }});
    }
}

TEST_CASE("cpu statistics keep their accuracy where the mean is large against the deviation") {
  const Tensor noise = uniform({.seed = 11}, {4, 64, 64, 3}, -1, 1, DType::f32, Device::reference);
  const Tensor x = map(Affine{.scale = 0.5, .shift = 300}, noise);
  const Statistics want = batch_norm_statistics(cast(x, DType::f64)), got = batch_norm_statistics(x.to(Device::cpu));
  CHECK(relative_error(got.mean, want.mean) < 1e-7);
  CHECK(relative_error(got.variance, want.variance) < 1e-5);
}

TEST_CASE("cpu pooling agrees with the reference") {
  for (const int64_t c : kChannels)
    for (const auto& [kernel, stride] : {std::pair{2, 2}, {3, 2}, {3, 3}, {2, 3}, {2, 1}, {5, 2}})
      for (const Shape& s : {Shape{1, 5, 5, c}, Shape{2, 9, 12, c}, Shape{1, 38, 31, c}}) {
        const int64_t k = kernel, step = stride;
        const PoolShape z = pool_shape(s, k, step);
        const Shape pooled{z.n, z.p, z.q, z.c};
        check_case({fmt::format("pool {} kernel {} stride {}", s, k, step), {s, pooled}, [=](const Tensors& in) {
                      const Pooled y = max_pool(in[0], k, step);
                      return Tensors{y.y, y.index, max_pool_grad(in[1], y.index, s, k, step),
                                     max_unpool(in[1], y.index, s, k, step), max_unpool_grad(in[0], y.index, k, step)};
                    }});
      }
}

TEST_CASE("cpu pooling takes the first of equals and lets NaN win") {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const int64_t k : {2, 3}) {
    std::vector<float> values(size_t(k * 6 * 17), 1.0f);
    for (size_t i = 0; i < values.size(); i += 5) values[i] = i % 3 ? nan : 2.0f;
    const Tensor x = Tensor::from(values, {1, k, 6, 17}, Device::reference);
    const Pooled want = max_pool(x, k, k), got = max_pool(x.to(Device::cpu), k, k);
    CHECK(same_bits(got.y, want.y));
    CHECK(same_bits(got.index, want.index));
  }
}

TEST_CASE("cpu resizing agrees with the reference") {
  for (const int64_t c : kChannels)
    for (const ResizeMode mode : {ResizeMode::nearest, ResizeMode::bilinear_corners, ResizeMode::bilinear_centers})
      for (const auto& [from, to] : {std::pair{Shape{1, 1, 1, c}, Shape{1, 4, 3, c}},
                                     {Shape{2, 5, 7, c}, Shape{2, 10, 14, c}},
                                     {Shape{1, 33, 20, c}, Shape{1, 66, 40, c}},
                                     {Shape{1, 9, 8, c}, Shape{1, 4, 1, c}}}) {
        const Shape x = from, y = to;
        check_case({fmt::format("resize {} to {}", x, y), {x, y}, [=](const Tensors& in) {
                      return Tensors{resize(in[0], y[1], y[2], mode), resize_grad(in[1], x, mode)};
                    }});
      }
}

TEST_CASE("cpu channel and class kernels agree with the reference") {
  for (const int64_t c : kChannels) {
    const Shape s{2, 13, 27, c}, wider{2, 13, 27, c + 5};
    check_case({named("concat", s), {s, wider}, [&](const Tensors& in) {
                  const Tensor y = concat({in[0], in[1], in[0]});
                  return Tensors{y, channels(y, c / 2, c + 3)};
                }});
    check_case({named("softmax", s), {s, s}, [](const Tensors& in) {
                  const Tensor y = softmax(map(Affine{.scale = 8, .shift = 0}, in[0]));
                  return Tensors{y, softmax_grad(in[1], y)};
                }});
  }
}

TEST_CASE("cpu updates agree with the reference") {
  for (const int64_t n : {1, 17, 50003}) {
    check_case({fmt::format("adam {}", n), {{n}, {n}, {n}, {n}}, [](const Tensors& in) {
                  const Tensor w = in[1].clone(), m = in[2].clone(), v = zip(Multiply{}, in[3], in[3]);
                  adam_step({.learning_rate = 0.02, .weight_decay = 0.1, .step = 3}, in[0], w, m, v);
                  return Tensors{w, m, v};
                }});
    check_case({fmt::format("sgd {}", n), {{n}, {n}, {n}}, [](const Tensors& in) {
                  const Tensor w = in[1].clone(), velocity = in[2].clone();
                  sgd_step({.learning_rate = 0.02, .momentum = 0.9, .weight_decay = 0.1}, in[0], w, velocity);
                  return Tensors{w, velocity};
                }});
  }
}

TEST_CASE("cpu conversions and fills agree with the reference") {
  const Tensor bytes = Tensor::from(std::vector<uint8_t>{0, 1, 127, 128, 255}, {5}, Device::cpu);
  CHECK(same_bits(cast(bytes, DType::f32), cast(bytes.to(Device::reference), DType::f32)));
  const Tensor x = uniform({.seed = 2}, {70001}, -300, 300, DType::f32, Device::cpu);
  for (const DType t : {DType::f64, DType::i32, DType::u8})
    CHECK(same_bits(cast(x, t), cast(x.to(Device::reference), t)));
  CHECK(same_bits(cast(cast(x, DType::f64), DType::f32), x));
  CHECK(same_bits(full({70001}, 0.1, DType::f32, Device::cpu), full({70001}, 0.1, DType::f32, Device::reference)));
}

}  // namespace
