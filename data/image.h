/// Pictures as bytes, and the only door to image files: PNG, JPEG and BMP through stb_image, TIFF through libtiff.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
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

/// The largest picture that is decoded: a few hostile bytes must not claim the machine's memory.
constexpr int64_t kMaxImageSide = 1 << 15, kMaxImagePixels = 1 << 26;

/// Decodes a whole file; `name` is for messages. channels = 3: RGB, gray repeated. channels = 1: luma, (299 R + 587 G +
/// 114 B) / 1000. The content decides the format, not the extension. 16 bits a sample keep their high byte.
/// Transparency is composed over black. Of a TIFF with several pages the first counts. The orientation tag of EXIF and
/// TIFF is not applied (masks rarely carry it). Throws FormatError if the bytes are no such image, are cut off or
/// damaged (missing end marker, wrong checksum), the picture is larger than the limits, or it uses the low byte of 16
/// alone.
Image decode_image(std::string_view bytes, const std::string& name, int channels = 3);
/// decode_image of a file's content.
Image read_image(const std::string& path, int channels = 3);

/// What every PNG of this program has after its first chunk: a text chunk, Software = cris. By it commands know the
/// pictures that they may replace.
constexpr size_t kPngMarkAt = 33;
constexpr std::string_view kPngMark{"\0\0\0\x0dtEXtSoftware\0cris\x39\x7a\xb3\x30", 25};

/// A PNG of 1 (gray) or 3 (RGB) channels.
std::string encode_png(const Image& image);
/// Writes encode_png(image) whole or not at all. Throws Error naming the file and the reason.
void write_png(const std::string& path, const Image& image);

/// Pictures and the paths that they are written to.
using Pictures = std::vector<std::pair<std::string, Image>>;
/// write_png of pictures that belong together: where one cannot be written, none is, and older files stay.
void write_pngs(const Pictures& pictures);

}  // namespace data
