/// What image.cpp and its decoders share: a picture as its file holds it, before it becomes 1 or 3 channels.
#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "data/pixels.h"

namespace data {

/// 1 to 4 channels: gray, gray + alpha, RGB, RGB + alpha. orientation: 1 to 8 as in EXIF and TIFF, not yet applied.
struct RawPicture {
  Image image;
  int orientation = 1;
};

/// Without compression; missing colours of a palette are black.
Image decode_bmp(std::string_view bytes, const std::string& name);
/// Through libjpeg-turbo, as Pillow, OpenCV and torchvision do: accurate integer DCT, smooth upsampling; four inks are
/// stored inverted, with Adobe's marker or without. Throws FormatError where the data end before the last row.
RawPicture decode_jpeg(std::string_view bytes, const std::string& name, Remarks& remarks);
/// Through libtiff: gray, palette, RGB, CMYK, YCbCr, of 1 to 16 unsigned bits a sample, in strips or tiles.
RawPicture decode_tiff(std::string_view bytes, const std::string& name, Remarks& remarks);

/// A PNG of one channel of 16 bits, each sample / 65535; nothing for all other files. Throws FormatError as
/// decode_image.
std::optional<Map> decode_gray_16(std::string_view bytes, const std::string& name);

/// A decoder that asks for more than this in one piece is told that there is none.
constexpr size_t kMaxDecoderBytes = size_t(1) << 30;

/// To be kept while a picture is decoded. The constructor throws FormatError beyond the limits of pixels.h, and waits
/// while the pictures at work in the process would have more than kMaxImagePixels together: its memory does not grow
/// with the number of threads.
class Admission {
 public:
  Admission(int64_t height, int64_t width, const std::string& name);
  ~Admission();
  Admission(const Admission&) = delete;

 private:
  int64_t pixels_ = 0;
};

/// Throws FormatError: the `kind` of file is damaged, for the decoder's `reason`.
[[noreturn]] void refuse_picture(const std::string& name, const char* kind, const std::string& reason);

/// 16-bit samples as 8: the high ones of the bits that the picture uses, which are 8 or 12 where no colour is brighter
/// than that (cameras and microscopes store so), else 16. Channels as in RawPicture.
Image eight_bits(const uint16_t* samples, int64_t height, int64_t width, int64_t channels, Remarks& remarks);

/// One pixel of four inks, 255 = none, to `rgb`, rounded as Pillow rounds.
inline void rgb_of_inks(const uint8_t* cmyk, uint8_t* rgb) {
  for (int c = 0; c < 3; ++c) {
    const unsigned shade = (255u - cmyk[c]) * cmyk[3] + 128;
    rgb[c] = uint8_t(cmyk[3] - ((shade + (shade >> 8)) >> 8));
  }
}

}  // namespace data
