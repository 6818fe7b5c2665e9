/// Parity of element-wise kernels, sums, fills, conversions and updates.
#include "expect.h"
#include "parity.h"
#include "tensor/ops.h"

using namespace tensor;

namespace {

/// From one element past two vectors and a fixed chunk or two.
constexpr int64_t kSizes[] = {1, 7, 64, 1000, 70003};

}  // namespace

TEST_CASE("parity: map, out of place and in place") {
  const std::vector<MapOp> ops{Affine{-1.7, 0.3}, Relu{}, Sigmoid{}, Exp{}, Log{}, Threshold{0.25}};
  for (size_t i = 0; i < ops.size(); ++i)
    for (const int64_t size : kSizes) {
      const double low = std::holds_alternative<Log>(ops[i]) ? 0.01 : -4;
      parity::check(fmt::format("map, op {} on {}", i, size), 1e-5, [&](Device device, DType t) {
        const Tensor x = parity::input({size}, 1, device, t, low, 4), y = parity::poisoned({size}, t, device);
        backend(device).map(ops[i], x, y);
        backend(device).map(ops[i], x, x);
        return std::vector<Tensor>{y, x};
      });
    }
}

TEST_CASE("parity: zip with an equal, a row and a scalar, out of place and in place") {
  const std::vector<ZipOp> ops{Add{},
                               Subtract{},
                               Multiply{},
                               Divide{},
                               ReluGrad{},
                               SigmoidGrad{},
                               SquaredDifference{},
                               BinaryCrossEntropy{},
                               BinaryCrossEntropyGrad{},
                               BinaryCrossEntropyWithLogits{},
                               BinaryCrossEntropyWithLogitsGrad{}};
  for (size_t i = 0; i < ops.size(); ++i)
    for (const Shape& a_shape : {Shape{1, 1}, Shape{5, 3}, Shape{33, 70}, Shape{1001, 65}, Shape{70003, 1}})
      for (const Shape& b_shape : {a_shape, Shape{a_shape[-1]}, Shape{1}}) {
        // Both cross entropies on probabilities need p inside (0, 1); the logits may be anywhere.
        const bool logits = i >= 9;
        parity::check(fmt::format("zip, op {} on {} and {}", i, a_shape, b_shape), 1e-5, [&](Device device, DType t) {
          const Tensor a = parity::input(a_shape, 1, device, t, logits ? -9 : 0.05, logits ? 9 : 0.95);
          const Tensor b = parity::input(b_shape, 2, device, t, 0.05, 0.95);
          const Tensor y = parity::poisoned(a_shape, t, device);
          backend(device).zip(ops[i], a, b, y);
          if (b.size() == a.size()) {
            const Tensor b_copy = b.clone();
            backend(device).zip(ops[i], a, b_copy, b_copy);
            backend(device).zip(ops[i], a, b, a);
            return std::vector<Tensor>{y, a, b_copy};
          }
          backend(device).zip(ops[i], a, b, a);
          return std::vector<Tensor>{y, a};
        });
      }
}

TEST_CASE("parity: sum of everything and to the last axis") {
  for (int64_t i = 0; i < 9; ++i)
    for (const int64_t rows : {1, 2, 37, 5000}) {
      const Shape shape{rows, parity::channels(i)};
      parity::check(fmt::format("sum of {}", shape), 1e-6, [&](Device device, DType t) {
        const Tensor x = parity::input(shape, 1, device, t, -0.5, 1);
        const Tensor total = parity::poisoned({1}, t, device), row = parity::poisoned({shape[-1]}, t, device);
        backend(device).sum(x, total);
        backend(device).sum(x, row);
        return std::vector<Tensor>{total, row};
      });
    }
}

TEST_CASE("parity: fills, dropout and casts") {
  const RandomKey key{1234567890123, 5, 6};
  for (const int64_t size : {1, 5, 4099, 70003}) {
    parity::check(fmt::format("fills of {}", size), 1e-5, [&](Device device, DType t) {
      std::vector<Tensor> y;
      for (int i = 0; i < 4; ++i) y.push_back(parity::poisoned({size}, t, device));
      backend(device).fill(1.25, y[0]);
      backend(device).fill_uniform(key, -2, 3, y[1]);
      backend(device).fill_normal(key, 1, 0.5, y[2]);
      const Tensor x = parity::input({size}, 1, device, t);
      backend(device).dropout(key, 0.4, x, y[3]);
      backend(device).dropout(key, 0.4, x, x);
      y.push_back(x);
      return y;
    });
    parity::check(fmt::format("casts of {}", size), 1e-6, [&](Device device, DType t) {
      const Tensor x = parity::input({size}, 2, device, t, -5, 300);
      const Tensor wide = parity::poisoned({size}, DType::f64, device),
                   i32 = parity::poisoned({size}, DType::i32, device), u8 = parity::poisoned({size}, DType::u8, device),
                   back = parity::poisoned({size}, t, device), from_i32 = parity::poisoned({size}, t, device);
      backend(device).cast(x, wide);
      backend(device).cast(x, i32);
      backend(device).cast(x, u8);
      backend(device).cast(u8, back);
      backend(device).cast(i32, from_i32);
      return std::vector<Tensor>{wide, i32, u8, back, from_i32};
    });
  }
}

TEST_CASE("parity: Adam and SGD") {
  for (const int64_t size : kSizes)
    for (const double weight_decay : {0.0, 0.01}) {
      parity::check(
          fmt::format("updates of {}, weight decay {}", size, weight_decay), 1e-5, [&](Device device, DType t) {
            const Tensor g = parity::input({size}, 1, device, t), w = parity::input({size}, 2, device, t);
            const Tensor m = parity::input({size}, 3, device, t), v = parity::input({size}, 4, device, t, 0, 1);
            const Tensor w_sgd = w.clone(), velocity = m.clone();
            backend(device).adam_step({.learning_rate = 0.1, .weight_decay = weight_decay, .step = 3}, g, w, m, v);
            backend(device).sgd_step({.momentum = 0.9, .weight_decay = weight_decay}, g, w_sgd, velocity);
            return std::vector<Tensor>{w, m, v, w_sgd, velocity};
          });
    }
}
