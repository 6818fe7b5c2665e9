/// What the first bytes of an image file say, and whether the file is whole: decoders forgive cut files, we do not.
#pragma once
#include <string>
#include <string_view>

namespace data {

enum class ImageFormat { png, jpeg, bmp, tiff };

/// The format by its magic number. Throws FormatError for anything else, saying what the file looks like.
ImageFormat image_format(std::string_view bytes, const std::string& name);

/// Throws FormatError unless every chunk of the PNG is complete, has the right CRC-32, and IEND ends them.
void check_png_is_whole(std::string_view bytes, const std::string& name);

/// Throws FormatError unless the JPEG's segments are complete, its Huffman tables consistent, and its last scan ends in
/// the end-of-image marker.
void check_jpeg_is_whole(std::string_view bytes, const std::string& name);

/// Throws FormatError unless the BMP holds as many bytes as its header says.
void check_bmp_is_whole(std::string_view bytes, const std::string& name);

}  // namespace data
