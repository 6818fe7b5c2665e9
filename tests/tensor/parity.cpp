/// How two backends are compared.
#include "parity.h"

#include <cstring>

#include "expect.h"
#include "tensor/machine/threads.h"

namespace parity {

using tensor::backend;

Tensor input(const Shape& shape, uint64_t seed, Device device, DType dtype, double low, double high) {
  const Tensor x = tensor::uniform({seed, 21, 0}, shape, low, high, DType::f32, Device::reference);
  return tensor::cast(x, dtype).to(device);
}

Tensor poisoned(const Shape& shape, DType dtype, Device device) {
  Tensor y(shape, dtype, Device::reference);
  if (dtype == DType::f32 || dtype == DType::f64)
    backend(Device::reference).fill(NAN, y);
  else if (y.bytes() > 0)
    std::memset(y.raw(), 255, size_t(y.bytes()));
  return y.to(device);
}

int64_t channels(int64_t i) {
  constexpr int64_t kAwkward[] = {1, 3, 17, 33, 48, 65, 70, 8, 64};
  return kAwkward[i % 9];
}

namespace {

/// cpu, and cuda where this build and this machine have it.
std::vector<Device> fast_devices() {
  std::vector<Device> devices{Device::cpu};
  try {
    backend(Device::cuda);
    devices.push_back(Device::cuda);
  } catch (const tensor::Error&) {
  }
  return devices;
}

/// Norm of the difference over the norm of `expected`; NaN when `got` has any.
double distance(const std::vector<double>& got, const std::vector<double>& expected) {
  double difference = 0, norm = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    difference += (got[i] - expected[i]) * (got[i] - expected[i]);
    norm += expected[i] * expected[i];
  }
  return norm > 0 ? std::sqrt(difference / norm) : std::sqrt(difference);
}

bool same_bits(const Tensor& a, const Tensor& b) {
  const Tensor x = a.to(Device::reference), y = b.to(Device::reference);
  return x.bytes() == y.bytes() && (x.bytes() == 0 || std::memcmp(x.raw(), y.raw(), size_t(x.bytes())) == 0);
}

}  // namespace

void check(const std::string& what, double tolerance, const Run& run) {
  INFO(what);
  const std::vector<Tensor> expected = run(Device::reference, DType::f64);
  for (const Device device : fast_devices()) {
    CAPTURE(name(device));
    const std::vector<Tensor> got = run(device, DType::f32);
    REQUIRE(got.size() == expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      CAPTURE(i);
      REQUIRE(got[i].shape() == expected[i].shape());
      const bool exact = got[i].dtype() != DType::f32;
      CHECK(distance(got[i].to_vector(), expected[i].to_vector()) <= (exact ? 0.0 : tolerance));
    }
    const int before = tensor::threads();
    for (const int threads : {before, 1, 2, 3}) {
      CAPTURE(threads);
      tensor::set_threads(threads);
      const std::vector<Tensor> again = run(device, DType::f32);
      for (size_t i = 0; i < got.size(); ++i) {
        CAPTURE(i);
        CHECK(same_bits(again[i], got[i]));
      }
    }
    tensor::set_threads(before);
  }
}

}  // namespace parity
