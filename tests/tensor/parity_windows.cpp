/// Parity of pooling, resizing, channel copies, batch norm and softmax over awkward extents.
#include "expect.h"
#include "parity.h"
#include "tensor/ops.h"

using namespace tensor;

namespace {

std::vector<Shape> images() {
  std::vector<Shape> shapes{{1, 1, 1, 1}, {1, 1, 1, 70}, {2, 40, 36, 64}};
  constexpr int64_t kHeights[] = {2, 5, 9, 16, 13}, kWidths[] = {3, 7, 4, 16, 1};
  for (int64_t i = 0; i < 9; ++i)
    shapes.push_back({i % 3 ? 1 : 3, kHeights[i % 5], kWidths[i % 5], parity::channels(i)});
  return shapes;
}

/// Few different values, so that windows have ties.
Tensor with_ties(const Shape& shape, Device device, DType t) {
  return cast(cast(parity::input(shape, 1, Device::reference, t, -0.999, 3), DType::i32), t).to(device);
}

}  // namespace

TEST_CASE("parity: max_pool, max_unpool and their gradients") {
  constexpr int64_t kWindows[][2] = {{2, 2}, {3, 2}, {3, 1}, {2, 3}, {1, 1}, {5, 3}};
  for (const Shape& shape : images())
    for (const auto& [kernel, stride] : kWindows) {
      if (shape[1] < kernel || shape[2] < kernel) continue;
      const PoolShape z = pool_shape(shape, kernel, stride);
      const Shape pooled{z.n, z.p, z.q, z.c};
      parity::check(
          fmt::format("windows of {}, stride {}, on {}", z.kernel, z.stride, shape), 1e-6, [&](Device device, DType t) {
            Backend& b = backend(device);
            const Tensor x = parity::input(shape, 1, device, t), tied = with_ties(shape, device, t);
            const Tensor y = parity::poisoned(pooled, t, device), index = parity::poisoned(pooled, DType::u8, device);
            const Tensor y_tied = parity::poisoned(pooled, t, device),
                         i_tied = parity::poisoned(pooled, DType::u8, device);
            const Tensor y_alone = parity::poisoned(pooled, t, device);
            b.max_pool(z, x, y, index);
            b.max_pool(z, tied, y_tied, i_tied);
            b.max_pool(z, x, y_alone, {});
            const Tensor small = parity::input(pooled, 2, device, t), large = parity::input(shape, 3, device, t);
            const Tensor dx = parity::poisoned(shape, t, device), up = parity::poisoned(shape, t, device);
            const Tensor down = parity::poisoned(pooled, t, device);
            b.max_pool_grad(z, small, index, dx);
            b.max_unpool(z, small, i_tied, up);
            b.max_unpool_grad(z, large, index, down);
            return std::vector<Tensor>{y, index, y_tied, i_tied, y_alone, dx, up, down};
          });
    }
}

TEST_CASE("parity: max_pool lets NaN and infinities through") {
  const float nan = NAN, inf = INFINITY;
  for (const int64_t c : {1, 8, 19}) {
    CAPTURE(c);
    std::vector<float> x;
    for (const float v : {-inf, -inf, nan, 1.0f, -inf, -inf, inf, nan})
      for (int64_t i = 0; i < c; ++i) x.push_back(v);
    const Pooled pooled = max_pool(Tensor::from(x, {1, 2, 4, c}, Device::cpu), 2, 2);
    const std::vector<double> y = pooled.y.to_vector(), index = pooled.index.to_vector();
    for (size_t i = 0; i < size_t(c); ++i) {
      CHECK(y[i] == -inf);
      CHECK(index[i] == 0);
      CHECK(std::isnan(y[size_t(c) + i]));
      CHECK(index[size_t(c) + i] == 0);
    }
  }
}

TEST_CASE("parity: resize and its gradient") {
  for (const Shape& shape : images())
    for (const ResizeMode mode : {ResizeMode::nearest, ResizeMode::bilinear_corners, ResizeMode::bilinear_centers})
      for (const auto& [height, width] : {std::pair{2 * shape[1], 2 * shape[2]}, std::pair{shape[1], shape[2]},
                                          std::pair{int64_t(1), int64_t(1)}, std::pair{int64_t(7), int64_t(5)}}) {
        const ResizeShape z{shape[0], shape[1], shape[2], shape[3], height, width, mode};
        parity::check(fmt::format("resize {} to {} x {}, mode {}", shape, z.p, z.q, int(mode)), 1e-5,
                      [&](Device device, DType t) {
                        const Shape out{z.n, z.p, z.q, z.c};
                        const Tensor x = parity::input(shape, 1, device, t), dy = parity::input(out, 2, device, t);
                        const Tensor y = parity::poisoned(out, t, device), dx = parity::poisoned(shape, t, device);
                        backend(device).resize(z, x, y);
                        backend(device).resize_grad(z, dy, dx);
                        return std::vector<Tensor>{y, dx};
                      });
      }
}

TEST_CASE("parity: copy_channels leaves the other channels alone") {
  for (int64_t i = 0; i < 9; ++i) {
    const int64_t c = parity::channels(i), total = c + parity::channels(i + 3) + 2, part = (c + 1) / 2;
    for (const int64_t rows : {1, 77, 3000})
      parity::check(
          fmt::format("{} of {} channels into {}, {} rows", part, c, total, rows), 0, [&](Device device, DType t) {
            const Tensor x = parity::input({rows, c}, 1, device, t), y = parity::input({rows, total}, 2, device, t);
            const Tensor whole = parity::poisoned({rows, c}, t, device);
            backend(device).copy_channels(x, c - part, part, y, total - part - 1);
            backend(device).copy_channels(x, 0, c, whole, 0);
            return std::vector<Tensor>{y, whole};
          });
  }
}

TEST_CASE("parity: batch norm and its gradients") {
  for (const Shape& shape : images())
    for (const Activation activation : {Activation::none, Activation::relu})
      for (const bool training : {false, true}) {
        const Shape row{shape[-1]};
        parity::check(
            fmt::format("batch norm of {}, relu {}, training {}", shape, activation == Activation::relu, training),
            1e-5, [&](Device device, DType t) {
              Backend& k = backend(device);
              const Tensor x = parity::input(shape, 1, device, t, -1, 2), dy = parity::input(shape, 2, device, t);
              const Tensor gamma = parity::input(row, 3, device, t, 0.5, 2), beta = parity::input(row, 4, device, t);
              const Tensor rstd = parity::input(row, 5, device, t, 0.5, 2), center = parity::input(row, 6, device, t);
              const BatchNorm b{x, center, rstd, gamma, beta, activation};
              const Tensor mean = parity::poisoned(row, t, device), variance = parity::poisoned(row, t, device);
              const Tensor y = parity::poisoned(shape, t, device), dx = parity::poisoned(shape, t, device);
              const Tensor dgamma = parity::poisoned(row, t, device), dbeta = parity::poisoned(row, t, device);
              k.batch_norm_statistics(x, mean, variance);
              k.batch_norm(b, y);
              k.batch_norm_grad_sums(b, dy, dgamma, dbeta);
              k.batch_norm_grad_input(b, dy, dgamma, dbeta, training, dx);
              k.batch_norm_grad_input(b, dy, dgamma, dbeta, training, dy);
              return std::vector<Tensor>{mean, variance, y, dgamma, dbeta, dx, dy};
            });
      }
}

TEST_CASE("parity: softmax and its gradient") {
  for (const int64_t rows : {1, 5, 1003})
    for (const int64_t classes : {1, 2, 3, 8, 21, 65}) {
      const Shape shape{rows, classes};
      parity::check(fmt::format("softmax of {}", shape), 1e-5, [&](Device device, DType t) {
        const Tensor x = parity::input(shape, 1, device, t, -30, 30), dy = parity::input(shape, 2, device, t);
        const Tensor soft = parity::input(shape, 3, device, t, 0, 1);
        const Tensor y = parity::poisoned(shape, t, device), dx = parity::poisoned(shape, t, device);
        backend(device).softmax(x, y);
        backend(device).softmax(x, x);
        backend(device).softmax_grad(dy, soft, dx);
        return std::vector<Tensor>{y, x, dx};
      });
    }
}
