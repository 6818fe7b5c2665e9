/// Element-wise kernels, sums, products and normalisation on the reference, against numbers computed by hand. Updates
/// of weights: tests/nn/optimizer.cpp.
#include "expect.h"

using namespace tensor;

TEST_CASE("reference map and zip") {
  const Tensor x = numbers({-2, 0, 3}, {3});
  check_values(map(Affine{2, 1}, x), {-3, 1, 7});
  check_values(map(Relu{}, x), {0, 0, 3});
  check_values(map(Threshold{0}, x), {0, 1, 1});
  check_values(map(Sigmoid{}, numbers({0, std::log(3.0)}, {2})), {0.5, 0.75});
  check_values(map(Log{}, map(Exp{}, x)), {-2, 0, 3});
  const Tensor a = numbers({1, 2, 3, 4}, {2, 2}), b = numbers({5, 6, 7, 8}, {2, 2});
  check_values(zip(Subtract{}, a, b), {-4, -4, -4, -4});
  check_values(zip(Multiply{}, a, numbers({10, 100}, {2})), {10, 200, 30, 400});
  check_values(zip(Divide{}, a, numbers({2}, {1})), {0.5, 1, 1.5, 2});
  check_values(zip(ReluGrad{}, b, numbers({-1, 0, 1, 2}, {2, 2})), {0, 0, 7, 8});
  check_values(zip(SigmoidGrad{}, a, numbers({0.5, 0.5, 0.25, 1}, {2, 2})), {0.25, 0.5, 0.5625, 0});
  check_values(zip(SquaredDifference{}, a, b), {16, 16, 16, 16});
  add_to(a, b);
  check_values(a, {6, 8, 10, 12});
}

TEST_CASE("reference binary cross entropy: values, the floor of its logarithm, and both gradients") {
  const Tensor p = numbers({0.25, 0.25, 0, 1}, {4}), t = numbers({1, 0, 1, 1}, {4});
  check_values(zip(BinaryCrossEntropy{}, p, t), {-std::log(0.25), -std::log(0.75), 100, 0});
  check_values(zip(BinaryCrossEntropyGrad{}, numbers({0.25, 0.25}, {2}), numbers({1, 0}, {2})), {-4, 1 / 0.75});
  const Tensor z = numbers({std::log(3.0), -std::log(3.0), 800, -800}, {4}), u = numbers({1, 1, 0, 0}, {4});
  check_values(zip(BinaryCrossEntropyWithLogits{}, z, u), {std::log(4.0 / 3), std::log(4.0), 800, 0});
  check_values(zip(BinaryCrossEntropyWithLogitsGrad{}, z, u), {-0.25, -0.75, 1, 0});
}

TEST_CASE("reference sum: of everything and to the last axis, f32 in f64") {
  const Tensor x = numbers({1, 10, 2, 20, 3, 30}, {3, 1, 2});
  check_values(sum(x), {66});
  check_values(sum_to_last(x), {6, 60});
  // In f32 the ones would vanish beside 2^25.
  std::vector<float> many(1025, 1.0f);
  many[0] = 33554432.0f;
  CHECK(sum(Tensor::from(many, {1025}, Device::reference)).item() == 33554432.0 + 1024);
}

TEST_CASE("reference matmul: all four transpositions of one product") {
  const Tensor a = numbers({1, 2, 3, 4, 5, 6}, {2, 3}), a_t = numbers({1, 4, 2, 5, 3, 6}, {3, 2});
  const Tensor b = numbers({1, 0, 2, 1, 0, 3}, {3, 2}), b_t = numbers({1, 2, 0, 0, 1, 3}, {2, 3});
  const std::vector<double> y{5, 11, 14, 23};
  check_values(matmul(a, b), y);
  check_values(matmul(a_t, b, true), y);
  check_values(matmul(a, b_t, false, true), y);
  check_values(matmul(a_t, b_t, true, true), y);
}

TEST_CASE("reference copy_channels: concat and its inverse") {
  const Tensor a = numbers({1, 2}, {2, 1}), b = numbers({3, 4, 5, 6}, {2, 2}), joined = concat({a, b});
  check_values(joined, {1, 3, 4, 2, 5, 6});
  check_values(channels(joined, 0, 1), {1, 2});
  check_values(channels(joined, 1, 2), {3, 4, 5, 6});
}

TEST_CASE("reference batch norm: statistics, result, gradients") {
  const Tensor x = numbers({1, 10, 3, 30}, {2, 2});
  const Statistics s = batch_norm_statistics(x);
  check_values(s.mean, {2, 20});
  check_values(s.variance, {1, 100});
  const Tensor rstd = numbers({1, 0.1}, {2}), gamma = numbers({2, 1}, {2}), beta = numbers({0, 5}, {2});
  check_values(batch_norm({x, s.mean, rstd, gamma, beta}), {-2, 4, 2, 6});
  check_values(batch_norm({x, s.mean, rstd, gamma, beta, Activation::relu}), {0, 4, 2, 6});

  const Tensor line = numbers({0, 1, 2}, {3, 1}), one = numbers({1}, {1}), two = numbers({2}, {1}),
               half = numbers({0.5}, {1}), dy = numbers({1, 0, 0}, {3, 1});
  const BatchNorm b{line, one, one, two, half};
  const BatchNormSums sums = batch_norm_grad_sums(b, dy);
  check_values(sums.dbeta, {1});
  check_values(sums.dgamma, {-1});
  check_values(batch_norm_grad_input(b, dy, sums, true), {2.0 / 3, -2.0 / 3, 0});
  check_values(batch_norm_grad_input(b, dy, sums, false), {2, 0, 0});
  // z = 2 (x - 1) + 1/2 is negative for x = 0: relu stops that gradient.
  const BatchNorm with_relu{line, one, one, two, half, Activation::relu};
  const Tensor dz = numbers({1, 1, 0}, {3, 1});
  const BatchNormSums stopped = batch_norm_grad_sums(with_relu, dz);
  check_values(batch_norm_grad_input(with_relu, dz, stopped, false), {0, 2, 0});
  check_values(stopped.dbeta, {1});
  check_values(stopped.dgamma, {0});
}

TEST_CASE("reference softmax and its gradient") {
  check_values(softmax(numbers({0, std::log(3.0), 1000, 1000}, {2, 2})), {0.25, 0.75, 0.5, 0.5});
  check_values(softmax_grad(numbers({1, 0}, {1, 2}), numbers({0.25, 0.75}, {1, 2})), {0.1875, -0.1875});
}
