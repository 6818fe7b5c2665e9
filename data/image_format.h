/// What the first bytes of an image file say, and whether a PNG is whole: stb_image forgives cut files, we do
/// not.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace data {

enum class ImageFormat { png, jpeg, bmp, tiff };

/// The format by its magic number. Throws FormatError for anything else, saying what the file is.
ImageFormat image_format(std::string_view bytes, const std::string& name);

/// A PNG as stb_image may read it: its palette has all 256 colours, the missing ones black.
struct CheckedPng {
  std::string bytes;
  int64_t height = 0, width = 0;
  int orientation = 1;
};
/// Throws FormatError unless every chunk of the PNG is complete, has the right CRC-32, and IEND ends them.
CheckedPng check_png(std::string_view bytes, const std::string& name);

/// The orientation (1 to 8) in the first directory of EXIF data, which are built as a TIFF; 1 where there is none.
int exif_orientation(std::string_view exif);

}  // namespace data
