/// Random streams: the published vectors of Philox4x32-10, and the distributions.
#include "tensor/random.h"

#include "expect.h"

using namespace tensor;

TEST_CASE("random: Philox4x32-10 gives the known answers of Random123") {
  const auto block = [](const RandomKey& key, uint64_t i) {
    const auto b = random_block(key, i);
    return std::vector<uint32_t>{b[0], b[1], b[2], b[3]};
  };
  CHECK(block({0, 0, 0}, 0) == std::vector<uint32_t>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8});
  CHECK(block({~0ull, ~0u, ~0u}, ~0ull) == std::vector<uint32_t>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd});
  CHECK(block({0x299f31d0a4093822, 0x13198a2e, 0x03707344}, 0x85a308d3243f6a88) ==
        std::vector<uint32_t>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1});
}

TEST_CASE("random: an element depends on its index alone, seed, stream and step each give another stream") {
  const RandomKey key{5, 1, 2};
  for (uint64_t i = 0; i < 9; ++i) CHECK(random_bits(key, i) == random_block(key, i / 4)[i % 4]);
  for (const RandomKey other : {RandomKey{6, 1, 2}, RandomKey{5, 2, 2}, RandomKey{5, 1, 3}})
    CHECK(random_bits(other, 0) != random_bits(key, 0));
  const Tensor few = uniform(key, {5}, -1, 1, DType::f64, Device::reference),
               many = uniform(key, {50}, -1, 1, DType::f64, Device::reference);
  for (size_t i = 0; i < 5; ++i) CHECK(few.to_vector()[i] == many.to_vector()[i]);
}

TEST_CASE("random: the cpu's vectors give the numbers of the definition in any length") {
  for (const RandomKey key : {RandomKey{5, 1, 2}, RandomKey{0xfedcba9876543210, 0xffffffff, 0x80000000}})
    for (const int64_t n : {1, 5, 63, 128, 129, 40000}) {
      const Tensor y = uniform(key, {n}, 0, 1, DType::f32, Device::cpu);
      int64_t wrong = 0;
      for (int64_t i = 0; i < n; ++i) wrong += y.data<float>()[i] != float(uniform(key, uint64_t(i)));
      CHECK(wrong == 0);
    }
}

TEST_CASE("random: uniform and normal have their moments") {
  constexpr int n = 200000;
  const std::vector<double> u = uniform({1, 2, 3}, {n}, 0, 1, DType::f64, Device::reference).to_vector(),
                            g = normal({1, 2, 3}, {n}, 0, 1, DType::f64, Device::reference).to_vector();
  double mean_u = 0, square_u = 0, mean_g = 0, square_g = 0, fourth_g = 0;
  for (int i = 0; i < n; ++i) {
    REQUIRE(u[size_t(i)] >= 0);
    REQUIRE(u[size_t(i)] < 1);
    mean_u += u[size_t(i)] / n;
    square_u += u[size_t(i)] * u[size_t(i)] / n;
    mean_g += g[size_t(i)] / n;
    square_g += g[size_t(i)] * g[size_t(i)] / n;
    fourth_g += std::pow(g[size_t(i)], 4) / n;
  }
  // Five standard errors each.
  CHECK(std::abs(mean_u - 0.5) < 5 * std::sqrt(1.0 / 12 / n));
  CHECK(std::abs(square_u - 1.0 / 3) < 5 * std::sqrt(4.0 / 45 / n));
  CHECK(std::abs(mean_g) < 5 * std::sqrt(1.0 / n));
  CHECK(std::abs(square_g - 1) < 5 * std::sqrt(2.0 / n));
  CHECK(std::abs(fourth_g - 3) < 5 * std::sqrt(96.0 / n));
}

TEST_CASE("random: uniform_below reaches every value and no other") {
  std::vector<int> seen(7, 0);
  for (uint64_t i = 0; i < 7000; ++i) ++seen.at(uniform_below({3, 0, 0}, i, 7));
  for (const int count : seen) CHECK(std::abs(count - 1000) < 150);
}

TEST_CASE("dropout: keeps with probability 1 - p, rescales, and masks its gradient alike") {
  constexpr int n = 100000;
  const RandomKey key{9, 9, 9};
  const Tensor ones = full({n}, 1, DType::f64, Device::reference);
  const std::vector<double> y = dropout(key, 0.25, ones).to_vector(),
                            dx = dropout(key, 0.25, full({n}, 3, DType::f64, Device::reference)).to_vector();
  int kept = 0;
  for (size_t i = 0; i < y.size(); ++i) {
    REQUIRE((y[i] == 0 || y[i] == 1 / 0.75));
    REQUIRE(dx[i] == 3 * y[i]);
    kept += y[i] != 0;
  }
  CHECK(std::abs(kept - 0.75 * n) < 5 * std::sqrt(n * 0.25 * 0.75));
  CHECK(dropout(key, 0, ones).to_vector() == ones.to_vector());
}
