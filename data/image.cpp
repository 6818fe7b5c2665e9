/// Decoding and encoding: the container is checked first, then stb_image or libtiff decodes, then channels are
/// converted.
#include "data/image.h"

#if !defined(CRIS_BARE)
#include <tiffio.h>
#endif

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <list>
#include <memory>

#include "data/files.h"
#include "data/format_error.h"
#include "data/image_format.h"
#include "tensor/machine/atomic_file.h"

// A compressed bomb may ask for any amount of memory: beyond this, the decoder is told that there is none.
namespace {
constexpr size_t kMaxDecoderBytes = size_t(1) << 30;
// Zeroed: a damaged file must not make the result depend on what the memory held before.
void* bounded_malloc(size_t bytes) { return bytes > kMaxDecoderBytes ? nullptr : std::calloc(1, bytes); }
void* bounded_realloc(void* block, size_t bytes) {
  return bytes > kMaxDecoderBytes ? nullptr : std::realloc(block, bytes);
}
}  // namespace

#define STBI_MALLOC bounded_malloc
#define STBI_REALLOC bounded_realloc
#define STBI_FREE std::free
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STBI_NO_STDIO
#define STB_IMAGE_STATIC
#define STB_IMAGE_IMPLEMENTATION
#define STB_IMAGE_WRITE_STATIC
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

void require_size(int64_t height, int64_t width, const std::string& name) {
  require_data(
      height > 0 && width > 0 && height <= kMaxImageSide && width <= kMaxImageSide && height * width <= kMaxImagePixels,
      "{}: {} x {} pixels is beyond the limit of {} a side and {} in all; make it smaller", name, width, height,
      kMaxImageSide, kMaxImagePixels);
}

uint8_t luma(const uint8_t* rgb) {
  return uint8_t((rgb[0] * 19595u + rgb[1] * 38470u + rgb[2] * 7471u + 32768u) >> 16);
}

/// 1 to 4 channels (gray, gray + alpha, RGB, RGBA) to 1 or 3.
Image convert(const uint8_t* from, int64_t height, int64_t width, int channels, int wanted) {
  Image image(height, width, wanted);
  const bool gray = channels < 3, alpha = channels % 2 == 0;
  for (int64_t i = 0; i < height * width; ++i, from += channels) {
    uint8_t rgb[3] = {from[0], from[gray ? 0 : 1], from[gray ? 0 : 2]};
    if (alpha && from[channels - 1] < 255)
      for (uint8_t& c : rgb) c = uint8_t((c * from[channels - 1] + 127) / 255);
    if (wanted == 3)
      std::copy(rgb, rgb + 3, &image.pixels[size_t(3 * i)]);
    else
      image.pixels[size_t(i)] = gray ? rgb[0] : luma(rgb);
  }
  return image;
}

/// Of 16 bits a sample the high byte is kept; a picture that uses the low one alone would come out black.
[[noreturn]] void refuse_faint(const std::string& name) {
  throw FormatError(
      fmt::format("{}: of its 16 bits a sample only the low 8 are used, so it would be black; save it with 8 bits a "
                  "sample",
                  name));
}

/// The high bytes of 16-bit samples.
std::vector<uint8_t> high_bytes(const uint16_t* samples, int64_t pixels, int channels, const std::string& name) {
  std::vector<uint8_t> high(size_t(pixels * channels));
  const int colours = channels - (channels % 2 == 0);
  uint16_t brightest = 0;
  for (int64_t i = 0; i < pixels * channels; ++i) {
    high[size_t(i)] = uint8_t(samples[i] >> 8);
    if (i % channels < colours) brightest = std::max(brightest, samples[i]);
  }
  if (brightest > 0 && brightest <= 0xff) refuse_faint(name);
  return high;
}

Image decode_with_stb(std::string_view bytes, const std::string& name, int wanted) {
  const auto* begin = reinterpret_cast<const stbi_uc*>(bytes.data());
  const int length = int(bytes.size());
  int width = 0, height = 0, channels = 0;
  const auto explain = [&] {
    const char* reason = stbi_failure_reason();
    throw FormatError(fmt::format("{}: cannot be decoded ({}); convert it to PNG, or remove the pair", name,
                                  reason ? reason : "unknown reason"));
  };
  if (!stbi_info_from_memory(begin, length, &width, &height, &channels)) explain();
  height = std::abs(height);  // of a BMP whose first row is the top one
  require_size(height, width, name);
  if (stbi_is_16_bit_from_memory(begin, length)) {
    const std::unique_ptr<stbi_us, decltype(&std::free)> samples(
        stbi_load_16_from_memory(begin, length, &width, &height, &channels, 0), &std::free);
    if (!samples) explain();
    return convert(high_bytes(samples.get(), int64_t(height) * width, channels, name).data(), height, width, channels,
                   wanted);
  }
  const std::unique_ptr<stbi_uc, decltype(&std::free)> pixels(
      stbi_load_from_memory(begin, length, &width, &height, &channels, 0), &std::free);
  if (!pixels) explain();
  return convert(pixels.get(), height, width, channels, wanted);
}

#if defined(CRIS_BARE)
Image decode_with_libtiff(std::string_view, const std::string& name, int) {
  throw FormatError(fmt::format("{}: this build reads no TIFF; convert it to PNG", name));
}
#else
// ---- libtiff over bytes in memory
// -------------------------------------------------------------------------------------
struct TiffSource {
  std::string_view bytes;
  toff_t at = 0;
  std::string complaint = {};
};

tmsize_t tiff_read(thandle_t handle, void* to, tmsize_t count) {
  auto& source = *static_cast<TiffSource*>(handle);
  const size_t left = source.at < source.bytes.size() ? source.bytes.size() - source.at : 0;
  const size_t n = std::min(size_t(count), left);
  if (n > 0) std::memcpy(to, source.bytes.data() + source.at, n);
  source.at += n;
  return tmsize_t(n);
}
tmsize_t tiff_write(thandle_t, void*, tmsize_t) { return 0; }
toff_t tiff_seek(thandle_t handle, toff_t offset, int from) {
  auto& source = *static_cast<TiffSource*>(handle);
  source.at = from == SEEK_SET ? offset : from == SEEK_CUR ? source.at + offset : source.bytes.size() + offset;
  return source.at;
}
int tiff_close(thandle_t) { return 0; }
toff_t tiff_size(thandle_t handle) { return static_cast<TiffSource*>(handle)->bytes.size(); }

/// Keeps the first complaint and prints nothing.
int tiff_error(TIFF*, void* user, const char*, const char* format, va_list args) {
  std::string& complaint = static_cast<TiffSource*>(user)->complaint;
  char text[256];
  std::vsnprintf(text, sizeof text, format, args);
  if (complaint.empty()) complaint = text;
  return 1;
}
int tiff_warning(TIFF*, void*, const char*, const char*, va_list) { return 1; }

/// Whether any byte of the first page's samples is not zero.
bool holds_anything(TIFF* tiff) {
  const bool tiled = TIFFIsTiled(tiff);
  std::vector<uint8_t> piece(size_t(tiled ? TIFFTileSize(tiff) : TIFFStripSize(tiff)));
  const auto read = tiled ? TIFFReadEncodedTile : TIFFReadEncodedStrip;
  const uint32_t count = tiled ? TIFFNumberOfTiles(tiff) : TIFFNumberOfStrips(tiff);
  for (uint32_t i = 0; i < count; ++i) {
    const tmsize_t got = read(tiff, i, piece.data(), tmsize_t(piece.size()));
    if (std::any_of(piece.begin(), piece.begin() + std::max<tmsize_t>(got, 0), [](uint8_t b) { return b != 0; }))
      return true;
  }
  return false;
}

Image decode_with_libtiff(std::string_view bytes, const std::string& name, int wanted) {
  TiffSource source{.bytes = bytes};
  const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                 &TIFFOpenOptionsFree);
  TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t(kMaxDecoderBytes));
  TIFFOpenOptionsSetErrorHandlerExtR(options.get(), tiff_error, &source);
  TIFFOpenOptionsSetWarningHandlerExtR(options.get(), tiff_warning, nullptr);
  const auto explain = [&] {
    throw FormatError(fmt::format(
        "{}: the TIFF is cut off, damaged or of an unknown kind ({}); convert it to PNG, or remove the pair", name,
        source.complaint.empty() ? "no reason given" : source.complaint));
  };
  // "m": no memory mapping, we have the bytes already.
  const std::unique_ptr<TIFF, decltype(&TIFFClose)> tiff(
      TIFFClientOpenExt(name.c_str(), "rm", &source, tiff_read, tiff_write, tiff_seek, tiff_close, tiff_size, nullptr,
                        nullptr, options.get()),
      &TIFFClose);
  if (!tiff) explain();
  uint32_t width = 0, height = 0;
  if (!TIFFGetField(tiff.get(), TIFFTAG_IMAGEWIDTH, &width) || !TIFFGetField(tiff.get(), TIFFTAG_IMAGELENGTH, &height))
    explain();
  require_size(height, width, name);
  // Asked for as it lies in the file: the tag is not applied, as EXIF's is not.
  uint16_t orientation = ORIENTATION_TOPLEFT;
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_ORIENTATION, &orientation);
  std::vector<uint32_t> packed(size_t(width) * height);
  // Any error stops it; transparency comes out composed over black. One sample is A B G R from the high byte down.
  if (!TIFFReadRGBAImageOriented(tiff.get(), width, height, packed.data(), orientation, 1) || !source.complaint.empty())
    explain();
  std::vector<uint8_t> rgb(packed.size() * 3);
  for (size_t i = 0; i < packed.size(); ++i) {
    rgb[3 * i] = uint8_t(TIFFGetR(packed[i]));
    rgb[3 * i + 1] = uint8_t(TIFFGetG(packed[i]));
    rgb[3 * i + 2] = uint8_t(TIFFGetB(packed[i]));
  }
  uint16_t bits = 1;
  TIFFGetFieldDefaulted(tiff.get(), TIFFTAG_BITSPERSAMPLE, &bits);
  if (bits == 16 && std::ranges::all_of(rgb, [](uint8_t c) { return c == 0; }) && holds_anything(tiff.get()))
    refuse_faint(name);
  return convert(rgb.data(), height, width, 3, wanted);
}
#endif

}  // namespace

Image decode_image(std::string_view bytes, const std::string& name, int channels) {
  tensor::check(channels == 1 || channels == 3, "decode_image: 1 or 3 channels, not {}", channels);
  require_data(bytes.size() <= kMaxDecoderBytes, "{}: {} bytes are too many for an image; make it smaller", name,
               bytes.size());
  switch (image_format(bytes, name)) {
    case ImageFormat::png:
      check_png_is_whole(bytes, name);
      break;
    case ImageFormat::jpeg:
      check_jpeg_is_whole(bytes, name);
      break;
    case ImageFormat::bmp:
      check_bmp_is_whole(bytes, name);
      break;
    case ImageFormat::tiff:
      return decode_with_libtiff(bytes, name, channels);
  }
  return decode_with_stb(bytes, name, channels);
}

Image read_image(const std::string& path, int channels) { return decode_image(read_data_file(path), path, channels); }

std::string encode_png(const Image& image) {
  tensor::check(image.channels == 1 || image.channels == 3, "encode_png: 1 or 3 channels, not {}", image.channels);
  tensor::check(int64_t(image.pixels.size()) == image.height * image.width * image.channels && !image.pixels.empty(),
                "encode_png: {} bytes for {} x {} x {}", image.pixels.size(), image.height, image.width,
                image.channels);
  tensor::check((image.width * image.channels + 1) * image.height <= INT32_MAX,  // the encoder counts in int
                "encode_png: {} x {} pixels are too many for one picture", image.width, image.height);
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
  std::list<tensor::AtomicFile> files;
  for (const auto& [path, image] : pictures) {
    files.emplace_back(path).write(encode_png(image));
    files.back().finish();
  }
  for (tensor::AtomicFile& file : files) file.commit();
}

}  // namespace data
