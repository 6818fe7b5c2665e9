/// The table of kernel cases: convolutions, pooling and resizing.
#include "tensor/precision.h"
#include "tests/kernels/kernel_cases.h"

namespace kernel_cases {

namespace {

struct Convolution {
  int64_t n, h, w, c, k, r, s, stride = 1, padding = 0;
};

/// Every kernel size, stride and padding, with extents that rotate.
std::vector<Convolution> all_windows() {
  constexpr int64_t kHeights[] = {1, 5, 9, 8, 13}, kWidths[] = {1, 7, 4, 8, 11};
  constexpr int64_t kCounts[] = {1, 3, 17, 33, 48, 65, 70, 8, 64};
  std::vector<Convolution> all;
  for (const int64_t kernel : {1, 2, 3, 5, 7})
    for (const int64_t stride : {1, 2, 3})
      for (const int64_t padding : {0, 1, 2, 3}) {
        const size_t i = all.size();
        const int64_t least = kernel - 2 * padding;
        all.push_back({i % 4 ? 1 : 3, std::max(kHeights[i % 5], least), std::max(kWidths[i % 5], least), kCounts[i % 9],
                       kCounts[(i / 2 + 4) % 9], kernel, kernel, stride, padding});
      }
  return all;
}

const std::vector<Convolution> kChosen = {
    // One pixel, one channel, one row.
    {1, 1, 1, 1, 1, 1, 1},
    {1, 1, 1, 70, 65, 3, 3, 1, 1},
    {1, 1, 1, 3, 5, 3, 3, 1, 1},
    {2, 5, 7, 1, 16, 1, 1},
    {2, 6, 5, 16, 1, 3, 3, 1, 1},
    {3, 130, 5, 2, 2, 3, 3, 1, 1},
    // The image and the mask: 3 channels in, 1 or 2 out.
    {2, 9, 13, 3, 64, 3, 3, 1, 1},
    {2, 13, 31, 3, 48, 3, 3, 2, 1},
    {3, 11, 9, 3, 17, 3, 3, 1, 1},
    {1, 64, 64, 32, 1, 3, 3, 1, 1},
    {2, 33, 35, 64, 1, 1, 1},
    {1, 9, 6, 35, 2, 1, 1},
    // Whole and broken vectors and tiles of channels.
    {1, 9, 6, 64, 1, 1, 1},
    {1, 12, 12, 17, 33, 3, 3, 1, 1},
    {1, 12, 12, 33, 17, 3, 3, 2},
    {2, 7, 9, 48, 65, 3, 3},
    {1, 8, 8, 65, 70, 3, 3, 3, 2},
    {1, 10, 7, 70, 3, 5, 5, 2, 2},
    {2, 14, 15, 16, 16, 7, 7, 1, 3},
    {2, 11, 15, 16, 16, 5, 5, 1, 2},
    {2, 9, 9, 5, 6, 5, 5, 1, 4},
    {1, 5, 5, 700, 9, 3, 3, 1, 1},
    // Transposed convolutions.
    {2, 8, 6, 32, 48, 2, 2, 2},
    {2, 9, 7, 32, 16, 2, 2, 2},
    {1, 7, 9, 4, 3, 2, 2, 3},
    {1, 16, 16, 32, 64, 4, 4, 2, 1},
    {1, 4, 4, 160, 200, 4, 4},
    // Filters that are not square; windows that lie wholly in the padding.
    {1, 9, 8, 17, 33, 1, 3},
    {2, 9, 8, 48, 3, 3, 1, 1, 1},
    {1, 11, 8, 5, 6, 5, 2, 2, 1},
    {1, 2, 2, 8, 8, 2, 2, 1, 3},
    // So large that the cpu sums in f32.
    {2, 31, 29, 17, 33, 3, 3, 1, 1},
    {4, 57, 61, 3, 17, 3, 3, 2, 1},
    {1, 30, 31, 48, 65, 3, 3},
    {3, 33, 31, 33, 17, 5, 5, 2, 2},
    {1, 33, 34, 16, 16, 7, 7, 1, 3},
    {2, 40, 42, 32, 48, 2, 2, 2},
    {2, 60, 51, 16, 1, 7, 7, 1, 3},
    {1, 50, 47, 35, 34, 1, 1},
    // What Winograd serves, with edges that are not whole tiles.
    {1, 8, 8, 64, 64, 3, 3, 1, 1},
    {9, 7, 5, 16, 32, 3, 3, 1, 1},
    {16, 6, 6, 16, 16, 3, 3, 1, 1},
    {17, 2, 2, 48, 64, 3, 3, 1, 1},
    {120, 1, 2, 32, 16, 3, 3, 1, 1},
    {2, 50, 47, 48, 80, 3, 3, 1, 1},
    {1, 130, 131, 32, 16, 3, 3, 1, 1},
    {1, 12, 12, 272, 320, 3, 3, 1, 1},
    {2, 40, 40, 128, 64, 3, 3, 1, 1},
    {1, 30, 31, 64, 64, 3, 3},
    {1, 9, 10, 64, 64, 3, 3, 1, 2},
    {2, 50, 47, 16, 16, 5, 5, 1, 2},
    {1, 64, 61, 48, 80, 5, 5, 1, 2},
    {1, 12, 11, 272, 128, 5, 5, 1, 2},
    {2, 50, 47, 16, 16, 7, 7, 1, 3},
    {2, 8, 8, 32, 16, 7, 7, 1, 3},
    {1, 21, 140, 16, 80, 7, 7, 1, 3},
    {1, 20, 300, 48, 32, 7, 7, 1, 3},
    // Channels in fours and eights, which tensor cores take, whole and broken tiles of them.
    {1, 12, 11, 16, 65, 3, 3, 1, 1},
    {1, 12, 11, 16, 68, 3, 3, 1, 1},
    {1, 12, 11, 16, 72, 3, 3, 1, 1},
    {3, 7, 9, 36, 132, 1, 1},
    {3, 7, 9, 40, 136, 1, 1},
    {2, 3, 2, 128, 8, 3, 3, 1, 1},
    {2, 21, 18, 4, 12, 5, 5, 1, 1},
    {2, 21, 18, 8, 16, 5, 5, 1, 1},
    {1, 17, 15, 8, 20, 3, 3, 2, 1},
    {1, 17, 15, 8, 24, 3, 3, 2, 1},
    {2, 10, 14, 24, 48, 2, 2, 2},
    {1, 6, 9, 8, 512, 3, 3, 3},
    {2, 7, 7, 33, 33, 3, 3},
};

}  // namespace

std::vector<Case> convolutions() {
  std::vector<Convolution> all = all_windows();
  all.insert(all.end(), kChosen.begin(), kChosen.end());
  std::vector<Case> cases;
  for (const Convolution& t : all) {
    const Shape x{t.n, t.h, t.w, t.c}, w{t.k, t.r, t.s, t.c};
    const ConvShape z = conv_shape(x, w, {.stride = t.stride, .padding = t.padding});
    const Shape y{z.n, z.p, z.q, z.k};
    // Winograd's sums round more than plain ones.
    const bool winograd = precision() != Precision::exact && t.stride == 1 && t.r == t.s && t.r > 1;
    cases.push_back({fmt::format("conv2d {} by {} stride {} padding {}", x, w, t.stride, t.padding),
                     {{x}, {w, -1, 1, true}, {{t.k}, -1, 1, true}, {y}, {{t.c}, -1, 1, true}},
                     {{y}, {y}, {x}, {x}, {w, true}},
                     [=](const Tensors& in, const Tensors& out) {
                       auto& device = on(in[0]);
                       device.conv2d(z, in[0], in[1], in[2], Activation::relu, out[0]);
                       device.conv2d(z, in[0], in[1], {}, Activation::none, out[1]);
                       device.conv2d_grad_input(z, in[3], in[1], in[4], out[2]);
                       device.conv2d_grad_input(z, in[3], in[1], {}, out[3]);
                       device.conv2d_grad_weight(z, in[3], in[0], out[4]);
                     },
                     {},
                     {},
                     !winograd  ? 2e-6
                     : t.r == 5 ? 8e-6
                                : 5e-6,
                     double(y.count() * t.r * t.s * t.c)});
  }
  return cases;
}

std::vector<Case> pooling(const std::vector<int64_t>& channels) {
  struct Window {
    int64_t kernel, stride;
  };
  std::vector<Case> cases;
  for (const int64_t c : channels)
    for (const auto& [kernel, stride] : {Window{2, 2}, {3, 2}, {3, 3}, {2, 3}, {2, 1}, {5, 2}, {3, 1}, {1, 1}, {5, 3}})
      for (const Shape& s : {Shape{1, 5, 5, c}, {2, 9, 12, c}, {1, 38, 31, c}}) {
        const PoolShape z = pool_shape(s, kernel, stride);
        const Shape pooled{z.n, z.p, z.q, z.c};
        const Output index{pooled, false, DType::u8};
        cases.push_back({fmt::format("max_pool {} kernel {} stride {}", s, kernel, stride),
                         {{s}, {s, -0.999, 3, false, true}, {pooled}, {s}},
                         {{pooled}, index, {pooled}, index, {pooled}, {s}, {s}, {pooled}},
                         [=](const Tensors& in, const Tensors& out) {
                           auto& device = on(in[0]);
                           device.max_pool(z, in[0], out[0], out[1]);
                           device.max_pool(z, in[1], out[2], out[3]);
                           device.max_pool(z, in[0], out[4], {});
                           device.max_pool_grad(z, in[2], out[1], out[5]);
                           device.max_unpool(z, in[2], out[3], out[6]);
                           device.max_unpool_grad(z, in[3], out[1], out[7]);
                         }});
      }
  return cases;
}

std::vector<Case> resizing(const std::vector<int64_t>& channels) {
  struct Sizes {
    int64_t n, h, w, p, q;
  };
  struct Mode {
    const char* name;
    ResizeMode mode;
  };
  std::vector<Case> cases;
  for (const int64_t c : channels)
    for (const auto& [mode_name, mode] : {Mode{"nearest", ResizeMode::nearest},
                                          {"bilinear_corners", ResizeMode::bilinear_corners},
                                          {"bilinear_centers", ResizeMode::bilinear_centers}})
      for (const Sizes& t : {Sizes{1, 1, 1, 4, 3},
                             {2, 5, 7, 10, 14},
                             {2, 5, 7, 5, 7},
                             {1, 33, 20, 66, 40},
                             {1, 9, 8, 4, 1},
                             {3, 16, 16, 7, 5},
                             {1, 13, 1, 1, 1}}) {
        const Shape x{t.n, t.h, t.w, c}, y{t.n, t.p, t.q, c};
        cases.push_back({fmt::format("resize {} {} to {}", mode_name, x, y),
                         {{x}, {y}},
                         {{y}, {x}},
                         [z = ResizeShape{t.n, t.h, t.w, c, t.p, t.q, mode}](const Tensors& in, const Tensors& out) {
                           on(in[0]).resize(z, in[0], out[0]);
                           on(in[0]).resize_grad(z, in[1], out[1]);
                         }});
      }
  return cases;
}

}  // namespace kernel_cases
