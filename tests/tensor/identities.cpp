/// Laws that hold whatever the numbers: adjoints, inverses, sums; on both host devices.
#include "expect.h"

using namespace tensor;

namespace {

constexpr Device kDevices[] = {Device::reference, Device::cpu};

}  // namespace

TEST_CASE("identity: <conv(x), y> = <x, conv_grad_input(y)> = <w, conv_grad_weight(y, x)>") {
  for (const Device device : kDevices)
    for (const int64_t kernel : {1, 2, 3, 5})
      for (const int64_t stride : {1, 2, 3})
        for (const int64_t padding : {0, 1, 2}) {
          CAPTURE(name(device));
          CAPTURE(kernel);
          CAPTURE(stride);
          CAPTURE(padding);
          const ConvOptions options{stride, padding};
          const Tensor x = random_tensor({2, 7, 6, 3}, 1).to(device),
                       w = random_tensor({4, kernel, kernel, 3}, 2).to(device);
          const Tensor y = conv2d(x, w, {}, options), dy = random_tensor(y.shape(), 3).to(device);
          const double expected = dot(y, dy);
          CHECK(dot(x, conv2d_grad_input(dy, w, x.shape(), options)) == doctest::Approx(expected).epsilon(1e-10));
          CHECK(dot(w, conv2d_grad_weight(dy, x, w.shape(), options)) == doctest::Approx(expected).epsilon(1e-10));
        }
}

TEST_CASE("identity: pooling an unpooled image gives it back, and each is the other's adjoint") {
  for (const Device device : kDevices)
    for (const int64_t kernel : {2, 3}) {
      CAPTURE(name(device));
      CAPTURE(kernel);
      const Tensor x = random_tensor({2, 7, 9, 5}, 4, 0.1, 1).to(device);
      const Pooled pooled = max_pool(x, kernel, kernel);
      const Tensor up = max_unpool(pooled.y, pooled.index, x.shape(), kernel, kernel);
      CHECK(max_pool(up, kernel, kernel).y.to_vector() == pooled.y.to_vector());
      const Tensor a = random_tensor(pooled.y.shape(), 5).to(device), b = random_tensor(x.shape(), 6).to(device);
      const double expected = dot(max_unpool(a, pooled.index, x.shape(), kernel, kernel), b);
      CHECK(dot(a, max_unpool_grad(b, pooled.index, kernel, kernel)) == doctest::Approx(expected).epsilon(1e-12));
      // Without overlap the gradient of max_pool is max_unpool.
      CHECK(dot(max_pool_grad(a, pooled.index, x.shape(), kernel, kernel), b) ==
            doctest::Approx(expected).epsilon(1e-12));
    }
}

TEST_CASE("identity: <resize(x), y> = <x, resize_grad(y)>, and a constant stays constant") {
  for (const Device device : kDevices)
    for (const ResizeMode mode : {ResizeMode::nearest, ResizeMode::bilinear_corners, ResizeMode::bilinear_centers})
      for (const int64_t height : {1, 3, 5, 8, 11}) {
        CAPTURE(name(device));
        CAPTURE(int(mode));
        CAPTURE(height);
        const Tensor x = random_tensor({2, 5, 4, 3}, 7).to(device), y = resize(x, height, 9, mode),
                     dy = random_tensor(y.shape(), 8).to(device);
        CHECK(dot(x, resize_grad(dy, x.shape(), mode)) == doctest::Approx(dot(y, dy)).epsilon(1e-10));
        for (const double v : resize(full_like(x, 0.7), height, 9, mode).to_vector())
          CHECK(v == doctest::Approx(0.7).epsilon(1e-14));
      }
}

TEST_CASE("identity: softmax rows sum to 1 and ignore a shift, its gradient rows sum to 0") {
  for (const Device device : kDevices) {
    CAPTURE(name(device));
    const Tensor x = random_tensor({37, 5}, 9, -20, 20).to(device), y = softmax(x);
    const Tensor ones = full({5, 1}, 1, DType::f64, device);
    for (const double total : matmul(y, ones).to_vector()) CHECK(total == doctest::Approx(1).epsilon(1e-14));
    const std::vector<double> shifted = softmax(map(Affine{1, 100}, x)).to_vector(), plain = y.to_vector();
    for (size_t i = 0; i < plain.size(); ++i) CHECK(shifted[i] == doctest::Approx(plain[i]).epsilon(1e-10));
    for (const double total : matmul(softmax_grad(x, y), ones).to_vector()) CHECK(std::abs(total) < 1e-13);
  }
}

TEST_CASE("identity: a batch norm of its own statistics has mean beta and deviation gamma") {
  for (const Device device : kDevices) {
    CAPTURE(name(device));
    const Tensor x = random_tensor({3, 4, 5, 2}, 10, 3, 9).to(device);
    const Statistics s = batch_norm_statistics(x);
    std::vector<double> rstd = s.variance.to_vector();
    for (double& v : rstd) v = 1 / std::sqrt(v);
    const Tensor gamma = numbers({2, 0.5}, {2}).to(device), beta = numbers({-1, 4}, {2}).to(device);
    const Statistics after = batch_norm_statistics(batch_norm({x, s.mean, numbers(rstd, {2}).to(device), gamma, beta}));
    check_values(after.mean, {-1, 4});
    check_values(after.variance, {4, 0.25});
  }
}
