/// Walks the containers of PNG (ISO 15948) and EXIF without decoding them.
#include "data/image_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "data/format_error.h"

namespace data {

namespace {

constexpr uint64_t kPaletteBytes = 3 * 256;
constexpr const char* kRemedy = "copy or download it again, or remove the pair";

uint32_t byte(std::string_view s, size_t i) { return static_cast<unsigned char>(s[i]); }
uint32_t big_endian(std::string_view s, size_t i) {
  return byte(s, i) << 24 | byte(s, i + 1) << 16 | byte(s, i + 2) << 8 | byte(s, i + 3);
}
uint32_t little_endian(std::string_view s, size_t i) {
  return byte(s, i) | byte(s, i + 1) << 8 | byte(s, i + 2) << 16 | byte(s, i + 3) << 24;
}

uint32_t crc32(std::string_view s) {
  static const std::array<uint32_t, 256> table = [] {
    std::array<uint32_t, 256> t{};
    for (uint32_t n = 0; n < 256; ++n) {
      uint32_t c = n;
      for (int k = 0; k < 8; ++k) c = c & 1 ? 0xedb88320u ^ (c >> 1) : c >> 1;
      t[n] = c;
    }
    return t;
  }();
  uint32_t c = 0xffffffffu;
  for (const char x : s) c = table[(c ^ static_cast<unsigned char>(x)) & 255] ^ (c >> 8);
  return ~c;
}

/// The first bytes, printable.
std::string beginning(std::string_view bytes) {
  std::string text;
  for (const char c : bytes.substr(0, 12)) text += std::isprint(static_cast<unsigned char>(c)) ? c : '.';
  return text;
}

/// Names the format of a file that is not such an image, by how it begins.
std::string kind_of(std::string_view bytes) {
  using namespace std::string_view_literals;
  struct Kind {
    std::string_view begins, name;
    size_t at = 0;
  };
  static constexpr Kind kinds[] = {{"GIF8"sv, "a GIF"},
                                   {"WEBP"sv, "a WebP", 8},
                                   {"ftypavi"sv, "an AVIF", 4},
                                   {"ftyp"sv, "a HEIC or a film", 4},
                                   {"jP  "sv, "a JPEG 2000", 4},
                                   {"\xff\x4f\xff\x51"sv, "a JPEG 2000"},
                                   {"JXL "sv, "a JPEG XL", 4},
                                   {"\xff\x0a"sv, "a JPEG XL"},
                                   {"8BPS"sv, "a Photoshop file"},
                                   {"\0\0\1\0"sv, "an icon"},
                                   {"DICM"sv, "a DICOM file", 128},
                                   {"\x93NUMPY"sv, "a NumPy array"},
                                   {"\x89HDF"sv, "an HDF5 file"},
                                   {"PK\3\4"sv, "a ZIP archive"},
                                   {"\x1f\x8b"sv, "a gzip archive"},
                                   {"%PDF"sv, "a PDF"},
                                   {"version https://git-lfs"sv, "a Git LFS pointer (git lfs pull gets the picture)"},
                                   {"<"sv, "a web page or an SVG"}};
  for (const Kind& k : kinds)
    if (bytes.size() >= k.at && bytes.substr(k.at).starts_with(k.begins)) return std::string(k.name);
  if (bytes.size() > 2 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '7' && std::isspace(uint8_t(bytes[2])))
    return "a PNM";
  return fmt::format("of an unknown kind (it begins with \"{}\")", beginning(bytes));
}

}  // namespace

ImageFormat image_format(std::string_view bytes, const std::string& name) {
  using namespace std::string_view_literals;
  require_data(!bytes.empty(), "{}: the file is empty (0 bytes); {}", name, kRemedy);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return ImageFormat::png;
  if (bytes.starts_with("\xff\xd8\xff"sv)) return ImageFormat::jpeg;
  if (bytes.starts_with("BM"sv)) return ImageFormat::bmp;
  for (const std::string_view magic : {"II*\0"sv, "MM\0*"sv, "II+\0"sv, "MM\0+"sv})  // + is BigTIFF
    if (bytes.starts_with(magic)) return ImageFormat::tiff;
  throw FormatError(
      fmt::format("{}: not a PNG, JPEG, BMP or TIFF image, whatever its name: it is {}; convert it, or remove it", name,
                  kind_of(bytes)));
}

CheckedPng check_png(std::string_view bytes, const std::string& name) {
  CheckedPng png{std::string(bytes)};
  size_t at = 8, palette = 0;
  for (;;) {
    require_data(at + 12 <= bytes.size(), "{}: the PNG is cut off after {} bytes; {}", name, bytes.size(), kRemedy);
    const uint64_t length = big_endian(bytes, at);
    const std::string_view type = bytes.substr(at + 4, 4);
    require_data(at + 12 + length <= bytes.size(), "{}: the PNG is cut off inside its {} chunk; {}", name,
                 beginning(type), kRemedy);
    require_data(crc32(bytes.substr(at + 4, length + 4)) == big_endian(bytes, at + 8 + length),
                 "{}: the PNG's {} chunk at byte {} is damaged (wrong checksum); {}", name, beginning(type), at,
                 kRemedy);
    require_data(type != "CgBI", "{}: a PNG in Apple's own format, which is not read; convert it", name);
    if (at == 8 && type == "IHDR" && length >= 8) {
      png.width = big_endian(bytes, 16);
      png.height = big_endian(bytes, 20);
    }
    if (type == "PLTE" && palette == 0) palette = at;
    if (type == "eXIf") png.orientation = exif_orientation(bytes.substr(at + 8, length));
    if (type == "IEND") break;
    at += 12 + length;
  }
  const uint64_t colours = palette > 0 ? big_endian(bytes, palette) : 0;
  if (colours > 0 && colours < kPaletteBytes) {
    png.bytes.insert(palette + 8 + colours, kPaletteBytes - colours, '\0');
    png.bytes.replace(palette, 4, std::string("\0\0\3\0", 4));  // stb_image does not look at the checksum
  }
  return png;
}

int exif_orientation(std::string_view exif) {
  constexpr uint32_t kOrientation = 0x112;
  const bool motorola = exif.starts_with("MM");
  if (exif.size() < 8) return 1;
  const auto two = [&](size_t i) {
    return motorola ? byte(exif, i) << 8 | byte(exif, i + 1) : byte(exif, i) | byte(exif, i + 1) << 8;
  };
  size_t at = motorola ? big_endian(exif, 4) : little_endian(exif, 4);
  if (at + 2 > exif.size()) return 1;
  const size_t end = std::min(exif.size(), at + 2 + 12 * two(at));  // entries of 12 bytes: tag, type, count, value
  for (at += 2; at + 12 <= end; at += 12)
    if (two(at) == kOrientation) return two(at + 8) >= 1 && two(at + 8) <= 8 ? int(two(at + 8)) : 1;
  return 1;
}

}  // namespace data
