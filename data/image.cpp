/// PNG through stb_image, the other formats in files of their own; then turning and conversion to 1 or 3 channels.
#include "data/image.h"

#include <algorithm>
#include <condition_variable>
#include <cstdlib>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <new>

#ifndef CRIS_BARE
#include <zlib.h>
#endif

#include "data/files.h"
#include "data/format_error.h"
#include "data/image_decoders.h"
#include "data/image_format.h"
#include "tensor/machine/atomic_file.h"

// A compressed bomb may ask for any amount of memory: beyond this, the decoder is told that there is none.
namespace {
// Zeroed: a damaged file must not make the result depend on what the memory held before.
void* bounded_malloc(size_t bytes) { return bytes > data::kMaxDecoderBytes ? nullptr : std::calloc(1, bytes); }
void* bounded_realloc(void* block, size_t bytes) {
  return bytes > data::kMaxDecoderBytes ? nullptr : std::realloc(block, bytes);
}
// The writer does not look whether it got memory.
void* required_realloc(void* block, size_t bytes) {
  void* larger = std::realloc(block, bytes);
  return larger ? larger : throw std::bad_alloc();
}
#ifndef CRIS_BARE
/// What stb_image_write asks for, by zlib, which is several times as fast as its own.
unsigned char* compress_by_zlib(unsigned char* bytes, int count, int* compressed, int) {
  constexpr int kLevel = 4;
  uLongf size = compressBound(uLong(count));
  auto* to = static_cast<unsigned char*>(required_realloc(nullptr, size));
  if (compress2(to, &size, bytes, uLong(count), kLevel) != Z_OK) throw std::bad_alloc();
  *compressed = int(size);
  return to;
}
#endif
}  // namespace

#define STBI_MALLOC bounded_malloc
#define STBI_REALLOC bounded_realloc
#define STBI_FREE std::free
#define STBI_ONLY_PNG
#define STBI_NO_STDIO
#define STBIW_MALLOC(bytes) required_realloc(nullptr, bytes)
#define STBIW_REALLOC required_realloc
#define STBIW_FREE std::free
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
#ifndef CRIS_BARE
#define STBIW_ZLIB_COMPRESS compress_by_zlib
#endif
#define STB_IMAGE_WRITE_IMPLEMENTATION
#define STBI_WRITE_NO_STDIO
// Static functions of the two libraries that we do not call.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wunused-function"
#include <stb_image.h>
#include <stb_image_write.h>
#pragma GCC diagnostic pop

namespace data {

namespace {

uint8_t luma(const uint8_t* rgb) {
  return uint8_t((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 32768u) >> 16);
}

/// 1 to 4 channels to 1 or 3. What is transparent is shown: readers such as Pillow's convert("RGB") do so, and where
/// alpha is left over or zero everywhere the picture is still there.
Image convert(const Image& from, int wanted, Remarks& remarks) {
  Image image(from.height, from.width, wanted);
  const bool gray = from.channels < 3, alpha = from.channels % 2 == 0;
  bool transparent = false;
  const uint8_t* c = from.pixels.data();
  for (int64_t i = 0; i < from.height * from.width; ++i, c += from.channels) {
    transparent |= alpha && c[from.channels - 1] < 255;
    if (wanted == 3)
      for (int k = 0; k < 3; ++k) image.pixels[size_t(3 * i + k)] = c[gray ? 0 : k];
    else
      image.pixels[size_t(i)] = gray ? c[0] : luma(c);
  }
  if (transparent) remarks.insert("transparency ignored");
  return image;
}

/// A PNG of 16 bits a sample, stb_image's way; its own errors are named.
using Samples = std::unique_ptr<stbi_us, decltype(&std::free)>;

[[noreturn]] void explain_png(const std::string& name) {
  const char* reason = stbi_failure_reason();
  refuse_picture(name, "PNG", reason ? reason : "unknown reason");
}

RawPicture decode_png(std::string_view file, const std::string& name, Remarks& remarks) {
  const CheckedPng png = check_png(file, name);
  const auto* begin = reinterpret_cast<const stbi_uc*>(png.bytes.data());
  const int length = int(png.bytes.size());
  int width = 0, height = 0, channels = 0;
  const Admission admitted(png.height, png.width, name);
  if (stbi_is_16_bit_from_memory(begin, length)) {
    const Samples samples(stbi_load_16_from_memory(begin, length, &width, &height, &channels, 0), &std::free);
    if (!samples) explain_png(name);
    return {eight_bits(samples.get(), height, width, channels, remarks), png.orientation};
  }
  const std::unique_ptr<stbi_uc, decltype(&std::free)> pixels(
      stbi_load_from_memory(begin, length, &width, &height, &channels, 0), &std::free);
  if (!pixels) explain_png(name);
  RawPicture picture{Image(height, width, channels), png.orientation};
  std::copy_n(pixels.get(), picture.image.pixels.size(), picture.image.pixels.begin());
  return picture;
}

RawPicture decode(std::string_view bytes, const std::string& name, Remarks& remarks) {
  switch (image_format(bytes, name)) {
    case ImageFormat::png:
      return decode_png(bytes, name, remarks);
    case ImageFormat::bmp:
      return {decode_bmp(bytes, name)};
#if defined(CRIS_BARE)
    default:
      throw FormatError(fmt::format("{}: this build reads neither JPEG nor TIFF; convert it to PNG", name));
#else
    case ImageFormat::jpeg:
      return decode_jpeg(bytes, name, remarks);
    case ImageFormat::tiff:
      return decode_tiff(bytes, name, remarks);
#endif
  }
  throw tensor::Error("decode: a format without a decoder");
}

}  // namespace

std::optional<Map> decode_gray_16(std::string_view bytes, const std::string& name) {
  if (image_format(bytes, name) != ImageFormat::png) return {};
  const CheckedPng png = check_png(bytes, name);
  const auto* begin = reinterpret_cast<const stbi_uc*>(png.bytes.data());
  const int length = int(png.bytes.size());
  int width = 0, height = 0, channels = 0;
  if (!stbi_is_16_bit_from_memory(begin, length) || !stbi_info_from_memory(begin, length, &width, &height, &channels) ||
      channels != 1 || png.orientation != 1)
    return {};
  const Admission admitted(png.height, png.width, name);
  const Samples samples(stbi_load_16_from_memory(begin, length, &width, &height, &channels, 0), &std::free);
  if (!samples) explain_png(name);
  Map map{height, width, std::vector<float>(size_t(height) * size_t(width))};
  std::transform(samples.get(), samples.get() + map.values.size(), map.values.begin(),
                 [](stbi_us v) { return float(v) / 65535; });
  return map;
}

namespace {
std::mutex admission;
std::condition_variable admission_changed;
int64_t admitted_pixels = 0;
}  // namespace

Admission::Admission(int64_t height, int64_t width, const std::string& name) {
  // The sides first: of 2^32 each, their product overflows.
  require_data(
      height > 0 && width > 0 && height <= kMaxImageSide && width <= kMaxImageSide && height * width <= kMaxImagePixels,
      "{}: {} x {} pixels is beyond the limit of {} a side and {} in all; make it smaller", name, width, height,
      kMaxImageSide, kMaxImagePixels);
  pixels_ = height * width;
  std::unique_lock lock(admission);
  admission_changed.wait(lock, [&] { return admitted_pixels + pixels_ <= kMaxImagePixels; });
  admitted_pixels += pixels_;
}

Admission::~Admission() {
  const std::lock_guard lock(admission);
  admitted_pixels -= pixels_;
  admission_changed.notify_all();
}

void refuse_picture(const std::string& name, const char* kind, const std::string& reason) {
  throw FormatError(
      fmt::format("{}: the {} is cut off, damaged or of an unknown kind ({}); convert it to PNG, or "
                  "remove the pair",
                  name, kind, reason));
}

Image eight_bits(const uint16_t* samples, int64_t height, int64_t width, int64_t channels, Remarks& remarks) {
  Image image(height, width, channels);
  const int64_t colours = channels - (channels % 2 == 0), count = height * width * channels;
  uint16_t brightest = 0;
  for (int64_t i = 0; i < count; ++i)
    if (i % channels < colours) brightest = std::max(brightest, samples[i]);
  const int shift = brightest > 0xfff ? 8 : brightest > 0xff ? 4 : 0;
  if (brightest > 0 && shift < 8) remarks.insert(fmt::format("{} of 16 bits used, read as such", 8 + shift));
  for (int64_t i = 0; i < count; ++i)
    image.pixels[size_t(i)] = uint8_t(samples[i] >> (i % channels < colours ? shift : 8));
  return image;
}

Image decode_image(std::string_view bytes, const std::string& name, int channels, Remarks* remarks) {
  tensor::check(channels == 1 || channels == 3, "decode_image: 1 or 3 channels, not {}", channels);
  tensor::check(bytes.size() <= kMaxDecoderBytes, "decode_image: {} bytes", bytes.size());
  Remarks unheard;
  Remarks& said = remarks ? *remarks : unheard;
  const RawPicture picture = decode(bytes, name, said);
  if (picture.orientation >= 2 && picture.orientation <= 8) said.insert("turned as their orientation tag says");
  return oriented(convert(picture.image, channels, said), picture.orientation);
}

Image oriented(const Image& image, int orientation) {
  if (orientation < 2 || orientation > 8) return image;
  // From 5 on rows become columns; which of the two runs backwards makes the rest.
  const bool swap = orientation >= 5, up = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7,
             left = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
  Image to(swap ? image.width : image.height, swap ? image.height : image.width, image.channels);
  for (int64_t y = 0; y < to.height; ++y)
    for (int64_t x = 0; x < to.width; ++x) {
      const int64_t row = swap ? x : y, column = swap ? y : x;
      std::copy_n(image.at(up ? image.height - 1 - row : row, left ? image.width - 1 - column : column), image.channels,
                  to.at(y, x));
    }
  return to;
}

Image read_image(const std::string& path, int channels, Remarks* remarks) {
  std::error_code ignored;  // reading names it
  const uintmax_t size = std::filesystem::file_size(path, ignored);
  require_data(ignored || size <= kMaxDecoderBytes, "{}: {} bytes are too many for an image; make it smaller", path,
               size);
  return decode_image(read_data_file(path), path, channels, remarks);
}

std::string encode_png(const Image& image) {
  tensor::check(image.channels == 1 || image.channels == 3, "encode_png: 1 or 3 channels, not {}", image.channels);
  // The encoder counts in 32 bits.
  tensor::check((3 * image.width + 1) * image.height < INT32_MAX, "encode_png: {} x {} pixels are too many for one PNG",
                image.width, image.height);
  tensor::check(int64_t(image.pixels.size()) == image.height * image.width * image.channels && !image.pixels.empty(),
                "encode_png: {} bytes for {} x {} x {}", image.pixels.size(), image.height, image.width,
                image.channels);
  std::string png;
  const auto append = [](void* to, void* bytes, int count) {
    static_cast<std::string*>(to)->append(static_cast<const char*>(bytes), size_t(count));
  };
  const int ok = stbi_write_png_to_func(append, &png, int(image.width), int(image.height), int(image.channels),
                                        image.pixels.data(), int(image.width * image.channels));
  tensor::check(ok != 0 && !png.empty(), "encode_png: no memory for {} x {} pixels", image.width, image.height);
  return png.insert(kPngMarkAt, kPngMark);
}

void write_png(const std::string& path, const Image& image) { tensor::write_file_atomically(path, encode_png(image)); }

void write_pngs(const Pictures& pictures) {
  std::vector<std::pair<std::string, std::string>> files;
  for (const auto& [path, image] : pictures) files.emplace_back(path, encode_png(image));
  write_together(files);
}

void write_together(const std::vector<std::pair<std::string, std::string>>& files) {
  std::list<tensor::AtomicFile> open;
  for (const auto& [path, bytes] : files) {
    open.emplace_back(path).write(bytes);
    open.back().finish();
  }
  for (tensor::AtomicFile& file : open) file.commit();
}

}  // namespace data
