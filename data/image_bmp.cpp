/// BMP, whose formats are few: 1 to 8 bits that point into a palette, 16 to 32 that hold three colours. No run lengths.
#include <algorithm>
#include <array>
#include <bit>

#include "data/format_error.h"
#include "data/image_decoders.h"

namespace data {

Image decode_bmp(std::string_view bytes, const std::string& name) {
  const auto number = [&](size_t at, int count) {
    uint64_t value = 0;
    for (int i = count; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + size_t(i)]);
    return value;
  };
  const auto whole = [&](uint64_t size) {
    require_data(size <= bytes.size(),
                 "{}: the BMP is cut off: {} bytes of {}; copy or download it again, or remove the pair", name,
                 bytes.size(), size);
  };
  whole(26);
  const uint64_t header = number(14, 4), first = 14 + header;  // where the palette begins
  const bool ancient = header == 12;  // of OS/2: extents of 16 bits, palette entries of three bytes
  whole(std::max(first, ancient ? uint64_t(26) : uint64_t(54)));
  const int64_t width = ancient ? int64_t(number(18, 2)) : int32_t(number(18, 4));
  const int64_t signed_height = ancient ? int64_t(number(20, 2)) : int32_t(number(22, 4));
  const int64_t height = std::abs(signed_height);  // negative: the first row is the top one
  const int bits = int(number(ancient ? 24 : 28, 2));
  const uint64_t packing = ancient ? 0 : number(30, 4), row_bytes = (uint64_t(width) * uint64_t(bits) + 31) / 32 * 4;
  const bool masked = packing == 3 || packing == 6;
  require_data(packing == 0 || (masked && bits >= 16), "{}: compressed BMPs are not read; convert it to PNG", name);
  if (!(bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 16 || bits == 24 || bits == 32))
    refuse_picture(name, "BMP", fmt::format("{} bits a pixel", bits));
  const Admission admitted(height, width, name);
  // The pixels of one value: a table of them for a palette, whose missing colours are black.
  std::array<std::array<uint8_t, 3>, 256> palette{};
  std::array<uint32_t, 3> mask =
      bits == 16 ? std::array{0x7c00u, 0x3e0u, 0x1fu} : std::array{0xff0000u, 0xff00u, 0xffu};
  uint64_t start = std::max<uint64_t>(number(10, 4), first);
  if (bits <= 8) {
    const uint64_t claimed = header < 40 ? 0 : number(46, 4), entry = ancient ? 3 : 4;
    const uint64_t room = (start > first ? start : bytes.size()) - first;
    const uint64_t count = std::min({claimed > 0 ? claimed : 256, uint64_t(1) << bits, room / entry});
    if (start == first) start += entry * count;  // some writers forget the palette there
    whole(start);
    for (size_t i = 0; i < count; ++i)
      for (size_t c = 0; c < 3; ++c) palette[i][2 - c] = uint8_t(number(first + entry * i + c, 1));
  } else if (masked) {
    whole(66);
    for (size_t c = 0; c < 3; ++c) mask[c] = uint32_t(number(54 + 4 * c, 4));
  }
  whole(start + uint64_t(height) * row_bytes);
  Image image(height, width, 3);
  for (int64_t y = 0; y < height; ++y) {
    const size_t row = size_t(start) + size_t(signed_height < 0 ? y : height - 1 - y) * row_bytes;
    for (int64_t x = 0; x < width; ++x) {
      uint8_t* to = image.at(y, x);
      if (bits <= 8) {
        const int64_t bit = x * bits;
        const uint64_t value = number(row + size_t(bit / 8), 1) >> (8 - bits - bit % 8);
        std::copy_n(palette[value & ((1u << bits) - 1)].data(), 3, to);
      } else {
        const auto value = uint32_t(number(row + size_t(x * bits / 8), bits / 8));
        for (size_t c = 0; c < 3; ++c) {
          const int shift = mask[c] ? std::countr_zero(mask[c]) : 0;
          const uint64_t most = mask[c] >> shift;
          to[c] = most == 0 ? 0 : uint8_t(uint64_t((value & mask[c]) >> shift) * 255 / most);
        }
      }
    }
  }
  return image;
}

}  // namespace data
