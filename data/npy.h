/// NumPy's file format for arrays, as far as maps need it: two dimensions, C order, little-endian.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace data {

/// A map of one value a pixel, row-major.
struct Map {
  int64_t height = 0, width = 0;
  std::vector<float> values = {};
};

/// Version 1.0 of the format, f32. Throws Error naming the file and the reason.
/// Source: numpy.lib.format.
void write_npy(const std::string& path, const float* values, int64_t height, int64_t width);
/// Reads bool, uint8 (as x / 255), f16, f32 and f64 of shape (height, width). `name` is for messages. Throws
/// FormatError for other files, other types and shapes, and for a file whose length does not fit.
Map parse_npy(std::string_view bytes, const std::string& name);

}  // namespace data
