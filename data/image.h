/// Pictures as bytes, and the only door to image files: PNG, JPEG (libjpeg-turbo), TIFF (libtiff) and BMP.
#pragma once
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "data/pixels.h"

namespace data {

/// Decodes a whole file; `name` is for messages. channels = 3: RGB, gray repeated. channels = 1: luma, (299 R + 587 G +
/// 114 B) / 1000. The content decides the format, not the extension. The pixels are those of Pillow's convert("RGB"),
/// and what departs from the plain is added to `remarks`:
/// - the orientation tag of EXIF (JPEG, PNG) and TIFF is applied, as viewers do;
/// - transparency is ignored;
/// - of 16 bits a sample the high 8 count; where no colour is above 255 or 4095, the high 8 of its 8 or 12 bits do;
/// - of a TIFF with several pages the first counts;
/// - a palette's missing colours are black;
/// - a JPEG that libjpeg warns of is read, but not one whose data end before its last row.
/// Throws FormatError if the bytes are no such image, are cut off or damaged, or the picture is larger than the limits.
Image decode_image(std::string_view bytes, const std::string& name, int channels = 3, Remarks* remarks = nullptr);
/// decode_image of a file's content.
Image read_image(const std::string& path, int channels = 3, Remarks* remarks = nullptr);

/// What a viewer shows of a picture with this tag of EXIF, 1 to 8: 2 is mirrored from left to right, 4 from top to
/// bottom, and 8, 3, 6 are turned counter-clockwise by one, two and three quarters.
Image oriented(const Image& image, int orientation);

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
/// The same of files whose content is there already: path, content.
void write_together(const std::vector<std::pair<std::string, std::string>>& files);

}  // namespace data
