/// Chapter 10: where the speed of a convolution comes from, and why threads change no bit.
#include <fmt/format.h>

#include <array>
#include <chrono>
#include <functional>

#include "tensor/machine/threads.h"
#include "tensor/ops.h"
#include "tensor/precision.h"
#include "tensor/relative_error.h"

using namespace tensor;

namespace {

double milliseconds(const std::function<void()>& work) {
  double best = 1e9;
  for (int i = 0; i < 3; ++i) {
    const auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

/// Winograd's F(2, 3): two neighbouring results of a filter of three taps, by four multiplications instead of six.
std::array<double, 2> winograd(const std::array<double, 4>& d, const std::array<double, 3>& g) {
  const double m1 = (d[0] - d[2]) * g[0];
  const double m2 = (d[1] + d[2]) * (g[0] + g[1] + g[2]) / 2;
  const double m3 = (d[2] - d[1]) * (g[0] - g[1] + g[2]) / 2;
  const double m4 = (d[1] - d[3]) * g[2];
  return {m1 + m2 + m3, m2 - m3 - m4};
}

}  // namespace

int main() {
  const std::array<double, 4> d{1, 2, 3, 4};
  const std::array<double, 3> g{5, 6, 7};
  const auto y = winograd(d, g);
  fmt::print("Winograd {} {}, plainly {} {}\n\n", y[0], y[1], d[0] * g[0] + d[1] * g[1] + d[2] * g[2],
             d[1] * g[0] + d[2] * g[1] + d[3] * g[2]);

  const Shape image{1, 64, 64, 64}, filter{64, 3, 3, 64};
  const ConvOptions same{.padding = 1};
  const ConvShape z = conv_shape(image, filter, same);
  fmt::print("3x3 convolution, 64x64 pixels, 64 to 64 channels: {:.0f} million operations\n", z.flops() / 1e6);
  fmt::print("of {:.2f} MB, which is {:.0f} operations a byte\n\n",
             double(image.count() * 2 + filter.count()) * 4 / 1e6,
             z.flops() / (double(image.count() * 2 + filter.count()) * 4));

  const Tensor x = uniform({1, 0, 0}, image, -1, 1, DType::f32, Device::cpu);
  const Tensor w = uniform({1, 1, 0}, filter, -1, 1, DType::f32, Device::cpu);
  const std::vector<double> truth =
      conv2d(cast(x, DType::f64).to(Device::reference), cast(w, DType::f64).to(Device::reference), {}, same)
          .to_vector();
  const auto row = [&](const char* name, Device device) {
    const Tensor a = x.to(device), b = w.to(device);
    Tensor result;
    const double ms = milliseconds([&] { result = conv2d(a, b, {}, same); });
    const double error = relative_error(result.to_vector(), truth);
    fmt::print("{:<28} ~{:.2f} ms, ~{:.1f} GFLOP/s, within {:.0e} of f64: {}\n", name, ms, z.flops() / ms / 1e6, 2e-5,
               error < 2e-5 ? "yes" : "no");
  };
  row("reference, plain loops", Device::reference);
  set_precision(Precision::exact);
  row("cpu, register tile", Device::cpu);
  set_precision(Precision::f32);
  row("cpu, Winograd", Device::cpu);

  std::vector<std::vector<double>> results;
  for (const int threads : {1, 2, 3}) set_threads(threads), results.push_back(conv2d(x, w, {}, same).to_vector());
  fmt::print("\n1, 2 and 3 threads give the same bits: {}\n", results[0] == results[1] && results[0] == results[2]);
}
