/// Pictures in memory: of bytes, and of one f32 a pixel.
#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <vector>

namespace data {

/// height x width pixels of `channels` interleaved bytes, top row first: pixel (y, x) begins at (y * width + x) *
/// channels.
struct Image {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;

  Image() = default;
  /// All zero.
  Image(int64_t height, int64_t width, int64_t channels)
      : height(height), width(width), channels(channels), pixels(size_t(height * width * channels)) {}
  uint8_t* at(int64_t y, int64_t x) { return pixels.data() + (y * width + x) * channels; }
  const uint8_t* at(int64_t y, int64_t x) const { return pixels.data() + (y * width + x) * channels; }
  bool operator==(const Image&) const = default;
};

/// A map of one value a pixel, row-major.
struct Map {
  int64_t height = 0, width = 0;
  std::vector<float> values = {};
};

/// The largest picture that is decoded: a few hostile bytes must not claim the machine's memory.
constexpr int64_t kMaxImageSide = 1 << 15, kMaxImagePixels = 1 << 26;

/// What was done to a picture that its owner may not expect, a phrase each: "turned as their orientation tag says".
using Remarks = std::set<std::string>;

}  // namespace data
