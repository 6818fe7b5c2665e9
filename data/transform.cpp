/// Flips, quarter turns, colours, and their random combination.
#include "data/transform.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "tensor/check.h"

namespace data {

bool looks_like_a_photograph(const std::array<int64_t, 256>& counts) {
  constexpr int64_t kDifferent = 64;  // fewer may be levels of a label map, or soft edges
  int64_t all = 0, between = 0, different = 0;
  for (int v = 0; v < 256; ++v) {
    const int64_t n = counts[size_t(v)];
    all += n;
    if (v > kRinging && v < 255 - kRinging) between += n, different += n > 0;
  }
  return 2 * between > all && different > kDifferent;
}

namespace {

uint8_t to_byte(double v) { return uint8_t(std::clamp(std::lround(v), 0l, 255l)); }

}  // namespace

Image flip_left_right(const Image& x) { return oriented(x, 2); }
Image flip_top_bottom(const Image& x) { return oriented(x, 4); }

Image rotate_quarters(const Image& x, int turns) {
  constexpr int kOrientations[] = {1, 8, 3, 6};
  return oriented(x, kOrientations[((turns % 4) + 4) % 4]);
}

Image shift_colours(const Image& rgb, const ColourShift& shift) {
  tensor::check(rgb.channels == 3, "shift_colours: 3 channels, not {}", rgb.channels);
  // A rotation by `hue` turns about the axis (1, 1, 1): a circulant matrix.
  const double angle = 2 * std::numbers::pi * shift.hue, cosine = std::cos(angle),
               sine = std::sin(angle) / std::sqrt(3.0);
  const double own = cosine + (1 - cosine) / 3, next = (1 - cosine) / 3 - sine, previous = (1 - cosine) / 3 + sine;
  Image y(rgb.height, rgb.width, 3);
  for (size_t i = 0; i < rgb.pixels.size(); i += 3) {
    const uint8_t* x = &rgb.pixels[i];
    const double gray = 0.299 * x[0] + 0.587 * x[1] + 0.114 * x[2];
    double colour[3];
    for (int c = 0; c < 3; ++c) colour[c] = gray + shift.saturation * (x[c] - gray);
    for (int c = 0; c < 3; ++c) {
      const double turned = own * colour[c] + next * colour[(c + 1) % 3] + previous * colour[(c + 2) % 3];
      y.pixels[i + size_t(c)] = to_byte(turned * shift.contrast + (1 - shift.contrast) * 128 + 255 * shift.brightness);
    }
  }
  return y;
}

Sample augment(const Sample& x, const Augmentation& options, const tensor::RandomKey& key, uint64_t index) {
  const auto draw = [&](uint64_t j) { return tensor::uniform(key, 16 * index + j); };
  const auto around = [&](uint64_t j, double radius) { return radius * (2 * draw(j) - 1); };
  Sample y = x;
  const auto both = [&](const auto& change) {
    y.image = change(y.image);
    y.mask = change(y.mask);
  };
  const int64_t height = x.image.height, width = x.image.width;
  // Every option has draws of its own, so that switching one on leaves the others' choices as they were.
  if (options.flip && draw(0) < 0.5) both(flip_left_right);
  if (options.flip && draw(1) < 0.5) both(flip_top_bottom);
  if (options.quarter_turns) {
    const int turns = height == width ? int(4 * draw(2)) : 2 * int(2 * draw(2));
    both([&](const Image& i) { return rotate_quarters(i, turns); });
  }
  threshold(y.mask);
  const double j = options.jitter;
  tensor::check(j >= 0 && j <= 5, "augmentation: jitter = {} is outside [0, 5]", j);
  if (j > 0)
    y.image = shift_colours(y.image, {.brightness = around(8, 0.2 * j),
                                      .contrast = 1 + around(9, 0.2 * j),
                                      .saturation = 1 + around(10, 0.2 * j),
                                      .hue = around(11, 0.02 * j)});
  return y;
}

void to_unit(const Image& x, float* y) {
  for (size_t i = 0; i < x.pixels.size(); ++i) y[i] = float(x.pixels[i]) / 255.0f;
}

void to_binary(const Image& mask, float* y) {
  for (size_t i = 0; i < mask.pixels.size(); ++i) y[i] = mask.pixels[i] >= kMaskThreshold ? 1.0f : 0.0f;
}

}  // namespace data
