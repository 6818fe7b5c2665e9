/// Convolution, pooling and resizing on the reference, against numbers computed by hand.
#include <limits>

#include "expect.h"

using namespace tensor;

namespace {

const std::vector<double> kNine{1, 2, 3, 4, 5, 6, 7, 8, 9};

}  // namespace

TEST_CASE("reference conv2d: cross-correlation, bias, relu, stride and padding") {
  const Tensor x = numbers(kNine, {1, 3, 3, 1}), w = numbers({1, 2, 3, 4}, {1, 2, 2, 1});
  check_values(conv2d(x, w, {}, {}), {37, 47, 67, 77});
  check_values(conv2d(x, w, numbers({-40}, {1}), {}, Activation::relu), {0, 7, 27, 37});
  check_values(conv2d(x, w, {}, {.stride = 2, .padding = 1}), {4, 18, 36, 77});
}

TEST_CASE("reference conv2d: filters first, channels last") {
  const Tensor x = numbers({1, 10}, {1, 1, 1, 2}), w = numbers({1, 2, 3, 4}, {2, 1, 1, 2});
  check_values(conv2d(x, w, {}, {}), {21, 43});
}

TEST_CASE("reference conv2d gradients: every tap gives and takes") {
  const Tensor x = numbers(kNine, {1, 3, 3, 1}), w = numbers({1, 2, 3, 4}, {1, 2, 2, 1});
  const Tensor dy = numbers({1, 1, 1, 1}, {1, 2, 2, 1});
  check_values(conv2d_grad_weight(dy, x, w.shape(), {}), {12, 16, 24, 28});
  check_values(conv2d_grad_input(dy, w, x.shape(), {}), {1, 3, 2, 4, 10, 6, 3, 7, 4});
  check_values(conv2d_grad_input(dy, w, x.shape(), {}, numbers({100}, {1})),
               {101, 103, 102, 104, 110, 106, 103, 107, 104});
}

TEST_CASE("reference conv2d_grad_input: pixels that no window reads get 0") {
  const Tensor w = numbers({5}, {1, 1, 1, 1}), dy = numbers({1, 2, 3, 4}, {1, 2, 2, 1});
  check_values(conv2d_grad_input(dy, w, {1, 4, 4, 1}, {.stride = 2}),
               {5, 0, 10, 0, 0, 0, 0, 0, 15, 0, 20, 0, 0, 0, 0, 0});
}

TEST_CASE("reference max_pool: values, places, ties and NaN") {
  const Tensor x = numbers({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16}, {1, 4, 4, 1});
  const Pooled pooled = max_pool(x, 2, 2);
  check_values(pooled.y, {6, 8, 14, 16});
  check_values(pooled.index, {3, 3, 3, 3});
  check_values(max_pool(numbers({7, 7, 7, 7}, {1, 2, 2, 1}), 2, 2).index, {0});
  const double nan = std::numeric_limits<double>::quiet_NaN(), inf = std::numeric_limits<double>::infinity();
  const Pooled with_nan = max_pool(numbers({inf, nan, nan, 1}, {1, 2, 2, 1}), 2, 2);
  CHECK(std::isnan(with_nan.y.item()));
  check_values(with_nan.index, {1});
  const Pooled lowest = max_pool(numbers({-inf, -inf, -inf, -inf}, {1, 2, 2, 1}), 2, 2);
  CHECK(lowest.y.item() == -inf);
  check_values(lowest.index, {0});
}

TEST_CASE("reference max_pool: windows that overlap share their maximum") {
  std::vector<double> image(16, 0.0);
  image[5] = 1;
  const Pooled pooled = max_pool(numbers(image, {1, 4, 4, 1}), 3, 1);
  check_values(pooled.y, {1, 1, 1, 1});
  check_values(pooled.index, {4, 3, 1, 0});
  const Tensor four = numbers({1, 2, 3, 4}, {1, 2, 2, 1});
  std::vector<double> at_peak(16, 0.0);
  at_peak[5] = 10;
  check_values(max_pool_grad(four, pooled.index, {1, 4, 4, 1}, 3, 1), at_peak);
  at_peak[5] = 4;
  check_values(max_unpool(four, pooled.index, {1, 4, 4, 1}, 3, 1), at_peak);
  check_values(max_unpool_grad(numbers(image, {1, 4, 4, 1}), pooled.index, 3, 1), {1, 1, 1, 1});
}

TEST_CASE("reference max_pool: rows and columns past the last window are left out") {
  const Pooled pooled = max_pool(numbers(kNine, {1, 3, 3, 1}), 2, 2);
  check_values(pooled.y, {5});
  check_values(max_unpool(pooled.y, pooled.index, {1, 3, 3, 1}, 2, 2), {0, 0, 0, 0, 5, 0, 0, 0, 0});
}

TEST_CASE("reference resize: the three conventions") {
  const Tensor two = numbers({0, 1}, {1, 1, 2, 1});
  check_values(resize(two, 1, 4, ResizeMode::nearest), {0, 0, 1, 1});
  check_values(resize(two, 1, 3, ResizeMode::bilinear_corners), {0, 0.5, 1});
  check_values(resize(two, 1, 1, ResizeMode::bilinear_corners), {0});
  check_values(resize(two, 1, 4, ResizeMode::bilinear_centers), {0, 0.25, 0.75, 1});
  check_values(resize(numbers({0, 1, 2, 3}, {1, 4, 1, 1}), 2, 1, ResizeMode::bilinear_centers), {0.5, 2.5});
  check_values(resize(numbers({0, 2, 4, 6}, {1, 2, 2, 1}), 3, 3, ResizeMode::bilinear_corners),
               {0, 1, 2, 2, 3, 4, 4, 5, 6});
}

TEST_CASE("reference resize: an infinite neighbour of weight 0 does not count") {
  const double inf = std::numeric_limits<double>::infinity();
  check_values(resize(numbers({1, inf}, {1, 1, 2, 1}), 1, 2, ResizeMode::bilinear_corners), {1, inf});
  check_values(resize(numbers({1, inf}, {1, 1, 2, 1}), 1, 4, ResizeMode::nearest), {1, 1, inf, inf});
}
