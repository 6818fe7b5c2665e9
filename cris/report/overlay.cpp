/// Overlays: half image, half colour, and a full-colour outline.
#include "cris/report/overlay.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/check.h"

namespace cris {

using data::Image;

Image probability_image(const float* p, int64_t height, int64_t width) {
  Image image(height, width, 1);
  for (size_t i = 0; i < image.pixels.size(); ++i)
    image.pixels[i] = uint8_t(std::lround(255 * std::clamp(p[i], 0.0f, 1.0f)));
  return image;
}

Image mask_image(const float* p, int64_t height, int64_t width, double threshold) {
  Image image(height, width, 1);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = double(p[i]) >= threshold ? 255 : 0;
  return image;
}

Image overlay(const Image& image, const Image& prediction, const Image& mask) {
  constexpr std::array<std::array<uint8_t, 3>, 4> kColours{{{0, 0, 0}, {0, 190, 110}, {255, 225, 0}, {30, 110, 255}}};
  const bool has_mask = !mask.pixels.empty();
  tensor::check(prediction.height == image.height && prediction.width == image.width &&
                    (!has_mask || (mask.height == image.height && mask.width == image.width)),
                "overlay: image {}x{}, prediction {}x{}, mask {}x{}", image.width, image.height, prediction.width,
                prediction.height, mask.width, mask.height);
  const auto kind = [&](int64_t y, int64_t x) {
    const bool p = *prediction.at(y, x) >= 128, m = has_mask ? *mask.at(y, x) >= 128 : p;
    return p && m ? 1 : p ? 2 : m ? 3 : 0;
  };
  Image out(image.height, image.width, 3);
  for (int64_t y = 0; y < image.height; ++y) {
    for (int64_t x = 0; x < image.width; ++x) {
      const int k = kind(y, x);
      const bool edge = (x > 0 && kind(y, x - 1) != k) || (y > 0 && kind(y - 1, x) != k) ||
                        (x + 1 < image.width && kind(y, x + 1) != k) || (y + 1 < image.height && kind(y + 1, x) != k);
      const int colour_share = k == 0 ? 0 : edge ? 100 : 30;
      for (int c = 0; c < 3; ++c) {
        const int under = image.at(y, x)[image.channels == 3 ? c : 0];
        out.at(y, x)[c] = uint8_t((under * (100 - colour_share) + kColours[size_t(k)][size_t(c)] * colour_share) / 100);
      }
    }
  }
  return out;
}

Image beside(const std::vector<Image>& pictures) {
  constexpr int64_t kGap = 4;
  int64_t width = -kGap;
  for (const Image& p : pictures) width += p.width + kGap;
  Image out(pictures.at(0).height, width, 3);
  std::fill(out.pixels.begin(), out.pixels.end(), 255);
  int64_t left = 0;
  for (const Image& p : pictures) {
    tensor::check(p.height == out.height, "beside: heights {} and {}", out.height, p.height);
    for (int64_t y = 0; y < p.height; ++y)
      for (int64_t x = 0; x < p.width; ++x)
        for (int c = 0; c < 3; ++c) out.at(y, left + x)[c] = p.at(y, x)[p.channels == 3 ? c : 0];
    left += p.width + kGap;
  }
  return out;
}

}  // namespace cris
