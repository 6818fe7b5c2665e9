/// A black and white picture: what every measure of masks takes.
#pragma once
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cris {

struct BinaryMap {
  int64_t height = 0, width = 0;
  std::vector<uint8_t> pixels = {};  ///< row-major; 1 where there is polyp, else 0

  bool at(int64_t y, int64_t x) const { return pixels[size_t(y * width + x)] != 0; }
  int64_t area() const { return std::ranges::count(pixels, 1); }
};

/// 1 where values[i] >= threshold.
inline BinaryMap binarize(const float* values, int64_t height, int64_t width, double threshold) {
  BinaryMap map{height, width, std::vector<uint8_t>(size_t(height * width))};
  for (size_t i = 0; i < map.pixels.size(); ++i) map.pixels[i] = double(values[i]) >= threshold;
  return map;
}

}  // namespace cris
