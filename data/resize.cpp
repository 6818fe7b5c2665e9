/// Columns first, then rows, with Pillow's triangle filter in integer arithmetic: the same bytes on every machine.
#include <algorithm>
#include <cmath>

#include "data/transform.h"
#include "tensor/check.h"

namespace data {

namespace {

// 255 * 2^22 and a sum of rounding errors fit 31 bits.
constexpr int kFractionBits = 22;

/// For each output position: which inputs it sums, and their weights.
struct Taps {
  struct Window {
    int64_t first, count;
  };
  std::vector<Window> windows;
  std::vector<int32_t> weights;  // `stride` for each window
  int64_t stride = 0;
};

Taps triangle_taps(int64_t from, int64_t to) {
  const double scale = double(from) / double(to), support = std::max(scale, 1.0);
  Taps taps;
  taps.stride = int64_t(std::ceil(support)) * 2 + 1;
  taps.windows.resize(size_t(to));
  taps.weights.assign(size_t(to * taps.stride), 0);
  std::vector<double> exact(static_cast<size_t>(taps.stride));
  for (int64_t p = 0; p < to; ++p) {
    const double centre = (double(p) + 0.5) * scale;
    const int64_t first = std::max<int64_t>(int64_t(centre - support + 0.5), 0);
    const int64_t last = std::min<int64_t>(int64_t(centre + support + 0.5), from);
    double sum = 0;
    for (int64_t i = first; i < last; ++i) {
      const double distance = std::abs((double(i) - centre + 0.5) / support);
      exact[size_t(i - first)] = std::max(0.0, 1.0 - distance);
      sum += exact[size_t(i - first)];
    }
    taps.windows[size_t(p)] = {first, last - first};
    for (int64_t i = 0; i < last - first; ++i)
      taps.weights[size_t(p * taps.stride + i)] = int32_t(exact[size_t(i)] / sum * (1 << kFractionBits) + 0.5);
  }
  return taps;
}

uint8_t round_to_byte(int32_t sum) { return uint8_t(std::clamp(sum >> kFractionBits, 0, 255)); }

template <int C>
void resize_row(const uint8_t* x, const Taps& taps, int64_t width, uint8_t* y) {
  for (int64_t q = 0; q < width; ++q) {
    const auto [first, count] = taps.windows[size_t(q)];
    const int32_t* w = &taps.weights[size_t(q * taps.stride)];
    int32_t sum[C];
    std::fill(sum, sum + C, 1 << (kFractionBits - 1));
    const uint8_t* from = x + first * C;
    for (int64_t i = 0; i < count; ++i)
      for (int c = 0; c < C; ++c) sum[c] += from[i * C + c] * w[i];
    for (int c = 0; c < C; ++c) y[q * C + c] = round_to_byte(sum[c]);
  }
}

Image resize_columns(const Image& x, int64_t width) {
  const Taps taps = triangle_taps(x.width, width);
  Image y(x.height, width, x.channels);
  for (int64_t row = 0; row < x.height; ++row)
    if (x.channels == 3)
      resize_row<3>(x.at(row, 0), taps, width, y.at(row, 0));
    else
      resize_row<1>(x.at(row, 0), taps, width, y.at(row, 0));
  return y;
}

Image resize_rows(const Image& x, int64_t height) {
  const Taps taps = triangle_taps(x.height, height);
  Image y(height, x.width, x.channels);
  const int64_t row_bytes = x.width * x.channels;
  std::vector<int32_t> sum(static_cast<size_t>(row_bytes));
  for (int64_t p = 0; p < height; ++p) {
    const auto [first, count] = taps.windows[size_t(p)];
    std::fill(sum.begin(), sum.end(), 1 << (kFractionBits - 1));
    for (int64_t i = 0; i < count; ++i) {
      const uint8_t* from = x.at(first + i, 0);
      const int32_t w = taps.weights[size_t(p * taps.stride + i)];
      for (int64_t j = 0; j < row_bytes; ++j) sum[size_t(j)] += from[j] * w;
    }
    uint8_t* to = y.at(p, 0);
    for (int64_t j = 0; j < row_bytes; ++j) to[j] = round_to_byte(sum[size_t(j)]);
  }
  return y;
}

}  // namespace

Image resize(const Image& x, int64_t height, int64_t width) {
  tensor::check(x.channels == 1 || x.channels == 3, "resize: 1 or 3 channels, not {}", x.channels);
  tensor::check(x.height > 0 && x.width > 0 && height > 0 && width > 0, "resize: {} x {} to {} x {} (height x width)",
                x.height, x.width, height, width);
  if (width == x.width) return height == x.height ? x : resize_rows(x, height);
  const Image narrow = resize_columns(x, width);
  return height == x.height ? narrow : resize_rows(narrow, height);
}

void threshold(Image& mask) {
  for (uint8_t& v : mask.pixels) v = v >= kMaskThreshold ? 255 : 0;
}

Sample resize(const Sample& x, int64_t height, int64_t width, bool* speck) {
  Sample y{resize(x.image, height, width), resize(x.mask, height, width)};
  const auto polyp = std::ranges::find_if(x.mask.pixels, [](uint8_t v) { return v >= kMaskThreshold; });
  const auto most = std::ranges::max_element(y.mask.pixels);
  const bool vanishes = polyp != x.mask.pixels.end() && *most < kMaskThreshold;
  if (vanishes && *most > 0) *most = 255;
  if (vanishes && *most == 0) {
    const int64_t at = polyp - x.mask.pixels.begin();
    *y.mask.at(at / x.mask.width * height / x.mask.height, at % x.mask.width * width / x.mask.width) = 255;
  }
  if (speck) *speck = vanishes;
  threshold(y.mask);
  return y;
}

}  // namespace data
