/// Tensor: making, sharing, moving, converting.
#include "tensor/tensor.h"

#include "expect.h"

using namespace tensor;

TEST_CASE("tensor: values go in and come out, for every element type") {
  CHECK(Tensor::from(std::vector<float>{1.5f, -2}, {2}, Device::cpu).to_vector() == std::vector<double>{1.5, -2});
  CHECK(Tensor::from(std::vector<double>{1e-300}, {1}, Device::cpu).item() == 1e-300);
  CHECK(Tensor::from(std::vector<int32_t>{-7, 8}, {2}, Device::cpu).to_vector() == std::vector<double>{-7, 8});
  CHECK(Tensor::from(std::vector<uint8_t>{0, 255}, {2}, Device::cpu).to_vector() == std::vector<double>{0, 255});
  CHECK_REFUSED(Tensor::from(std::vector<float>{1, 2, 3}, {2, 2}, Device::cpu), "3 values for shape [2, 2]");
}

TEST_CASE("tensor: copies share memory, clones do not") {
  const Tensor a = numbers({1, 2, 3, 4}, {2, 2});
  CHECK(a.unique());
  const Tensor shared = a, own = a.clone();
  CHECK_FALSE(a.unique());
  CHECK(own.unique());
  a.data<double>()[0] = 9;
  CHECK(shared.to_vector()[0] == 9);
  CHECK(own.to_vector()[0] == 1);
  CHECK(a.reshape({4}).raw() == a.raw());
  CHECK(a.reshape({4, 1}).shape() == Shape{4, 1});
}

TEST_CASE("tensor: to(device) keeps the values and does not copy what is there already") {
  const Tensor a = numbers({1, 2, 3}, {3});
  CHECK(a.to(Device::reference).raw() == a.raw());
  const Tensor b = a.to(Device::cpu);
  CHECK(b.device() == Device::cpu);
  CHECK(b.to_vector() == a.to_vector());
}

TEST_CASE("tensor: memory begins at multiples of 256 bytes, even when it is empty") {
  for (const int64_t n : {0, 1, 63, 64, 65, 1000}) {
    CAPTURE(n);
    const Tensor t({n}, DType::f32, Device::cpu), next({n}, DType::f32, Device::cpu);
    CHECK(reinterpret_cast<uintptr_t>(t.raw()) % 256 == 0);
    CHECK(t.raw() != next.raw());
    CHECK(int64_t(t.to_vector().size()) == n);
  }
}

TEST_CASE("tensor: misuse is refused with shapes and types") {
  const Tensor a = numbers({1, 2, 3, 4}, {2, 2});
  CHECK_REFUSED(a.data<float>(), "[2, 2] holds f64, not f32");
  CHECK_REFUSED(a.reshape({3}), "[2, 2] has 4 elements, [3] has 3");
  CHECK_REFUSED(a.item(), "4 elements");
  CHECK_REFUSED(Tensor().to_vector(), "undefined");
  CHECK_REFUSED(Tensor().clone(), "undefined");
  CHECK(Tensor().size() == 0);
  CHECK(Tensor().to_string() == "undefined tensor");
}

TEST_CASE("cast: integers round toward zero and saturate") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const Tensor x = numbers({1.9, -1.9, 254.5, 300, 1e20, -1e20, nan}, {7});
  CHECK(cast(x, DType::u8).to_vector() == std::vector<double>{1, 0, 254, 255, 255, 0, 0});
  CHECK(cast(x, DType::i32).to_vector() == std::vector<double>{1, -1, 254, 300, 2147483647.0, -2147483648.0, 0});
  CHECK(cast(numbers({0.1}, {1}), DType::f32).item() == double(0.1f));
  CHECK(cast(cast(x, DType::u8), DType::f64).to_vector()[3] == 255);
}
