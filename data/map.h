/// Maps of probabilities in files: pictures, and NumPy's arrays of two dimensions in C order, little-endian.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "data/pixels.h"

namespace data {

/// Version 1.0 of the format, f32. Throws Error naming the file and the reason.
/// Source: numpy.lib.format.
void write_npy(const std::string& path, const float* values, int64_t height, int64_t width);
/// Reads bool, uint8 (as x / 255), f16, f32 and f64 of shape (height, width). `name` is for messages. Throws
/// FormatError for other files, other types and shapes, and for a file whose length does not fit.
Map parse_npy(std::string_view bytes, const std::string& name);
/// Any of these: .npy as parse_npy; a gray PNG of 16 bits as v / 65535; every other picture as its luma / 255. Throws
/// FormatError, also for values outside [0, 1].
Map read_map(const std::string& path);
/// The same picture in 8 bits: probabilities times 255. Both throw FormatError where another picture than a gray PNG
/// uses its 16 bits in part: what 1 is would be a guess.
Image read_probability(const std::string& path);
/// The mask of a picture or of an .npy, 0 or 1: polyp from one half on. Throws FormatError as read_map, and when no
/// pixel of a mask that is not black reaches one half: polyps marked by 1 instead of 255 would pass for none.
/// `photograph`, if given, tells whether the file looks like one (data/transform.h).
Map read_mask_map(const std::string& path, bool* photograph = nullptr);
/// Whether read_map knows the extension.
bool has_map_extension(const std::string& file);

}  // namespace data
