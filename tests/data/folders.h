/// Tiny pictures for the tests of this layer.
#pragma once
#include <doctest/doctest.h>

#include <string>

#include "data/image.h"
#include "data/transform.h"
#include "tensor/check.h"
#include "tensor/machine/atomic_file.h"
#include "tests/message.h"
#include "tests/scratch.h"

namespace {

/// Every pixel another colour, smooth enough for interpolation.
[[maybe_unused]] data::Image gradient(int64_t height, int64_t width, int64_t channels, int shift = 0) {
  data::Image image(height, width, channels);
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x)
      for (int64_t c = 0; c < channels; ++c) image.at(y, x)[c] = uint8_t(7 * y + 3 * x + 50 * c + (x * y) % 5 + shift);
  return image;
}

/// A white rectangle on black.
[[maybe_unused]] data::Image rectangle(int64_t height, int64_t width, int64_t top, int64_t left, int64_t bottom,
                                       int64_t right) {
  data::Image mask(height, width, 1);
  for (int64_t y = top; y < bottom; ++y)
    for (int64_t x = left; x < right; ++x) *mask.at(y, x) = 255;
  return mask;
}

/// `count` pairs a.png, b.png, ... of different sizes around 12 x 16.
[[maybe_unused]] void write_pairs(const Scratch& folder, int count) {
  folder.folder("images");
  folder.folder("masks");
  for (int i = 0; i < count; ++i) {
    const std::string name = std::string(1, char('a' + i)) + ".png";
    data::write_png(folder / "images/" + name, gradient(12 + i % 3, 16 + i % 2, 3, 40 * i));
    data::write_png(folder / "masks/" + name, rectangle(12 + i % 3, 16 + i % 2, 2, 3 + i % 4, 8, 10));
  }
}

}  // namespace
