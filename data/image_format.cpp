/// Walks the containers of PNG (ISO 15948), JPEG (ITU T.81) and BMP without decoding them.
#include "data/image_format.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "data/format_error.h"

namespace data {

namespace {

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

/// Which Huffman tables a JPEG has defined so far. stb_image trusts that counts are possible and that a scan's tables
/// exist.
class HuffmanTables {
 public:
  /// The content of a DHT segment: one or more of (class << 4 | id, 16 counts, codes).
  void define(std::string_view segment, const std::string& name) {
    for (size_t at = 0; at < segment.size();) {
      need(at + 17 <= segment.size(), name);
      const uint32_t label = byte(segment, at);
      size_t codes = 0;
      for (size_t i = 1; i <= 16; ++i) codes += byte(segment, at + i);
      at += 17 + codes;
      need(codes <= 256 && at <= segment.size() && label >> 4 <= 1 && (label & 15) <= 3, name);
      defined_[label >> 4][label & 15] = true;
    }
  }
  /// The content of an SOS segment: n, n times (component, dc id << 4 | ac id), then the spectral band.
  void check_scan(std::string_view segment, bool progressive, const std::string& name) const {
    const size_t components = segment.empty() ? 0 : byte(segment, 0);
    need(components >= 1 && components <= 4 && segment.size() == 4 + 2 * components, name);
    const bool from_dc = byte(segment, 1 + 2 * components) == 0;
    for (size_t i = 0; i < components; ++i) {
      const uint32_t ids = byte(segment, 2 + 2 * i), dc = ids >> 4, ac = ids & 15;
      need(dc <= 3 && ac <= 3, name);
      // A progressive scan has either the first coefficient or others; only refinements of the first need no table.
      const bool refines = byte(segment, 3 + 2 * components) >> 4 != 0;
      const bool uses_dc = !progressive || (from_dc && !refines), uses_ac = !progressive || !from_dc;
      need((!uses_dc || defined_[0][dc]) && (!uses_ac || defined_[1][ac]), name);
    }
  }

 private:
  bool defined_[2][4] = {};
  static void need(bool ok, const std::string& name) {
    require_data(ok, "{}: the JPEG's Huffman tables are damaged or missing; {}", name, kRemedy);
  }
};

}  // namespace

ImageFormat image_format(std::string_view bytes, const std::string& name) {
  using namespace std::string_view_literals;
  require_data(!bytes.empty(), "{}: the file is empty (0 bytes); {}", name, kRemedy);
  if (bytes.starts_with("\x89PNG\r\n\x1a\n"sv)) return ImageFormat::png;
  if (bytes.starts_with("\xff\xd8\xff"sv)) return ImageFormat::jpeg;
  if (bytes.starts_with("BM"sv)) return ImageFormat::bmp;
  if (bytes.starts_with("II*\0"sv) || bytes.starts_with("MM\0*"sv)) return ImageFormat::tiff;
  throw FormatError(
      fmt::format("{}: not a PNG, JPEG, BMP or TIFF image (it begins with \"{}\"); convert it, or remove the pair",
                  name, beginning(bytes)));
}

void check_png_is_whole(std::string_view bytes, const std::string& name) {
  size_t at = 8;
  for (;;) {
    require_data(at + 12 <= bytes.size(), "{}: the PNG is cut off after {} bytes; {}", name, bytes.size(), kRemedy);
    const uint64_t length = big_endian(bytes, at);
    const std::string_view type = bytes.substr(at + 4, 4);
    require_data(at + 12 + length <= bytes.size(), "{}: the PNG is cut off inside its {} chunk; {}", name,
                 beginning(type), kRemedy);
    require_data(crc32(bytes.substr(at + 4, length + 4)) == big_endian(bytes, at + 8 + length),
                 "{}: the PNG's {} chunk at byte {} is damaged (wrong checksum); {}", name, beginning(type), at,
                 kRemedy);
    if (type == "IEND") return;
    at += 12 + length;
  }
}

void check_jpeg_is_whole(std::string_view bytes, const std::string& name) {
  const auto need = [&](bool ok) {
    require_data(ok, "{}: the JPEG is cut off after {} bytes (no end-of-image marker); {}", name, bytes.size(),
                 kRemedy);
  };
  size_t at = 2;
  bool scanned = false, progressive = false;
  HuffmanTables tables;
  for (;;) {
    need(at + 2 <= bytes.size());
    require_data(byte(bytes, at) == 0xff, "{}: the JPEG is damaged at byte {} (no marker where one belongs); {}", name,
                 at, kRemedy);
    const uint32_t marker = byte(bytes, at + 1);
    if (marker == 0xff) {  // padding before a marker
      ++at;
      continue;
    }
    at += 2;
    if (marker == 0xd9) {
      require_data(scanned, "{}: the JPEG holds no picture; {}", name, kRemedy);
      return;
    }
    if (marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8)) continue;  // markers without a length
    need(at + 2 <= bytes.size());
    const size_t length = byte(bytes, at) << 8 | byte(bytes, at + 1);
    require_data(length >= 2, "{}: the JPEG is damaged at byte {} (segment of length {}); {}", name, at, length,
                 kRemedy);
    need(at + length <= bytes.size());
    const std::string_view segment = bytes.substr(at + 2, length - 2);
    if (marker == 0xc2) progressive = true;
    if (marker == 0xc4) tables.define(segment, name);
    if (marker == 0xda) tables.check_scan(segment, progressive, name);
    at += length;
    if (marker != 0xda) continue;
    scanned = true;
    // Entropy-coded bytes: ff 00 is a stuffed byte, ff d0..d7 a restart marker; anything else after ff ends the scan.
    for (;; ++at) {
      need(at + 2 <= bytes.size());
      const uint32_t next = byte(bytes, at + 1);
      if (byte(bytes, at) == 0xff && next != 0 && next != 0xff && !(next >= 0xd0 && next <= 0xd7)) break;
    }
  }
}

void check_bmp_is_whole(std::string_view bytes, const std::string& name) {
  const auto two = [&](size_t i) { return byte(bytes, i) | byte(bytes, i + 1) << 8; };
  const auto whole = [&](uint64_t size) {
    require_data(size <= bytes.size(), "{}: the BMP is cut off: {} bytes of {}; {}", name, bytes.size(), size, kRemedy);
  };
  whole(26);
  const uint64_t start = little_endian(bytes, 10), header = little_endian(bytes, 14);
  const bool ancient = header == 12;  // of OS/2: extents of 16 bits
  whole(std::max(14 + header, ancient ? uint64_t(26) : uint64_t(54)));
  require_data(ancient || header < 40 || little_endian(bytes, 30) == 0 || little_endian(bytes, 30) == 3,
               "{}: compressed BMPs are not read; convert it to PNG", name);
  const int64_t width = ancient ? int64_t(two(18)) : int32_t(little_endian(bytes, 18));
  const int64_t height = ancient ? int64_t(two(20)) : int32_t(little_endian(bytes, 22));
  const uint64_t bits = two(ancient ? 24 : 28);
  const uint64_t rows = uint64_t(height < 0 ? -height : height);
  require_data(width > 0 && rows > 0, "{}: the BMP claims {} x {} pixels; {}", name, width, height, kRemedy);
  const uint64_t row_bytes = (uint64_t(width) * bits + 31) / 32 * 4;
  whole(start + rows * row_bytes);
}

}  // namespace data
