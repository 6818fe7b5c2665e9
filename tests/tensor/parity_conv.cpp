/// Parity of convolutions and matrix products over a table of awkward extents.
#include "expect.h"
#include "parity.h"
#include "tensor/ops.h"
#include "tensor/precision.h"

using namespace tensor;

namespace {

struct ConvCase {
  Shape x, w;
  ConvOptions options;
};

/// Every kernel size, stride and padding, with channels, sizes and batches that rotate, then what deserves a row of its
/// own.
std::vector<ConvCase> conv_cases() {
  constexpr int64_t kHeights[] = {1, 5, 9, 8, 13}, kWidths[] = {1, 7, 4, 8, 11};
  std::vector<ConvCase> cases;
  for (const int64_t kernel : {1, 2, 3, 5, 7})
    for (const int64_t stride : {1, 2, 3})
      for (const int64_t padding : {0, 1, 2, 3}) {
        const int64_t i = int64_t(cases.size());
        int64_t h = kHeights[i % 5], w = kWidths[i % 5];
        while (h + 2 * padding < kernel) ++h;
        while (w + 2 * padding < kernel) ++w;
        cases.push_back({{i % 4 == 0 ? 3 : 1, h, w, parity::channels(i)},
                         {parity::channels(i / 2 + 4), kernel, kernel, parity::channels(i)},
                         {stride, padding}});
      }
  const ConvOptions same{1, 1};
  for (const ConvCase& c : {
           // 3 x 3, stride 1: what Winograd may take, with edges that are not whole tiles.
           ConvCase{{1, 32, 32, 64}, {64, 3, 3, 64}, same},
           ConvCase{{1, 17, 23, 65}, {70, 3, 3, 65}, same},
           ConvCase{{3, 14, 14, 33}, {48, 3, 3, 33}, same},
           ConvCase{{2, 28, 28, 48}, {96, 3, 3, 48}, same},
           ConvCase{{1, 16, 16, 128}, {128, 3, 3, 128}, same},
           ConvCase{{1, 4, 4, 256}, {256, 3, 3, 256}, same},
           ConvCase{{1, 30, 31, 64}, {64, 3, 3, 64}, {1, 0}},
           ConvCase{{1, 9, 10, 64}, {64, 3, 3, 64}, {1, 2}},
           ConvCase{{2, 2, 2, 64}, {64, 3, 3, 64}, same},
           // The image and the mask: 3 channels in, 1 out.
           ConvCase{{1, 64, 64, 3}, {32, 3, 3, 3}, same},
           ConvCase{{1, 64, 64, 32}, {1, 3, 3, 32}, same},
           ConvCase{{2, 33, 35, 64}, {1, 1, 1, 64}, {}},
           ConvCase{{3, 40, 24, 17}, {2, 1, 1, 17}, {}},
           // One pixel.
           ConvCase{{1, 1, 1, 70}, {65, 3, 3, 70}, same},
           ConvCase{{1, 1, 1, 1}, {1, 1, 1, 1}, {}},
           // Transposed convolutions.
           ConvCase{{2, 16, 12, 33}, {65, 2, 2, 33}, {2, 0}},
           ConvCase{{1, 16, 16, 32}, {64, 4, 4, 32}, {2, 1}},
           ConvCase{{1, 32, 32, 64}, {128, 2, 2, 64}, {2, 0}},
           // Filters that are not square.
           ConvCase{{1, 9, 8, 17}, {33, 1, 3, 17}, {1, 0}},
           ConvCase{{2, 9, 8, 48}, {3, 3, 1, 48}, {1, 1}},
           ConvCase{{1, 11, 8, 5}, {6, 5, 2, 5}, {2, 1}},
           // Windows that lie wholly in the padding.
           ConvCase{{1, 2, 2, 8}, {8, 2, 2, 8}, {1, 3}},
       })
    cases.push_back(c);
  return cases;
}

void check_all_conv_cases(double winograd_tolerance) {
  int i = 0;
  for (const ConvCase& c : conv_cases()) {
    const ConvShape z = conv_shape(c.x, c.w, c.options);
    const Shape y_shape{z.n, z.p, z.q, z.k};
    const double tolerance = z.r == 3 && z.s == 3 && z.stride == 1 ? winograd_tolerance : 1e-5;
    const bool biased = i % 3 != 0;
    const Activation activation = i % 2 ? Activation::relu : Activation::none;
    ++i;
    const std::string what = fmt::format("x {} w {} stride {} padding {} bias {} relu {}", c.x, c.w, z.stride,
                                         z.padding, biased, activation == Activation::relu);
    parity::check("conv2d " + what, tolerance, [&](Device device, DType t) {
      const Tensor x = parity::input(c.x, 1, device, t), w = parity::input(c.w, 2, device, t);
      const Tensor b = biased ? parity::input({z.k}, 3, device, t) : Tensor();
      const Tensor y = parity::poisoned(y_shape, t, device);
      backend(device).conv2d(z, x, w, b, activation, y);
      return std::vector<Tensor>{y};
    });
    parity::check("conv2d_grad_input " + what, tolerance, [&](Device device, DType t) {
      const Tensor dy = parity::input(y_shape, 4, device, t), w = parity::input(c.w, 2, device, t);
      const Tensor b = biased ? parity::input({z.c}, 5, device, t) : Tensor();
      const Tensor dx = parity::poisoned(c.x, t, device);
      backend(device).conv2d_grad_input(z, dy, w, b, dx);
      return std::vector<Tensor>{dx};
    });
    parity::check("conv2d_grad_weight " + what, tolerance, [&](Device device, DType t) {
      const Tensor dy = parity::input(y_shape, 4, device, t), x = parity::input(c.x, 1, device, t);
      const Tensor dw = parity::poisoned(c.w, t, device);
      backend(device).conv2d_grad_weight(z, dy, x, dw);
      return std::vector<Tensor>{dw};
    });
  }
}

}  // namespace

TEST_CASE("parity: convolutions, Winograd allowed") { check_all_conv_cases(2e-5); }

TEST_CASE("parity: convolutions in precision exact") {
  set_precision(Precision::exact);
  check_all_conv_cases(1e-5);
  set_precision(Precision::f32);
}

TEST_CASE("parity: matmul") {
  std::vector<std::array<int64_t, 3>> extents{{1, 1, 1}, {130, 257, 300}, {1, 512, 33}, {512, 1, 33}, {64, 64, 1}};
  for (int64_t i = 0; i < 9; ++i)
    extents.push_back({parity::channels(i), parity::channels(i + 2), parity::channels(i + 5)});
  for (const auto& [m, n, k] : extents)
    for (const bool transpose_a : {false, true})
      for (const bool transpose_b : {false, true}) {
        const MatmulShape z{m, n, k, transpose_a, transpose_b};
        parity::check(fmt::format("matmul m {} n {} k {} transposed {} {}", m, n, k, transpose_a, transpose_b), 1e-5,
                      [&](Device device, DType t) {
                        const Tensor a = parity::input(transpose_a ? Shape{z.k, z.m} : Shape{z.m, z.k}, 1, device, t);
                        const Tensor b = parity::input(transpose_b ? Shape{z.n, z.k} : Shape{z.k, z.n}, 2, device, t);
                        const Tensor y = parity::poisoned({z.m, z.n}, t, device);
                        backend(device).matmul(z, a, b, y);
                        return std::vector<Tensor>{y};
                      });
      }
}
