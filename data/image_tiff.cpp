/// Common TIFFs are unpacked here, sample by sample; libtiff's own conversion to RGBA does the rare kinds.
#include <tiffio.h>

#include <algorithm>
#include <cstring>
#include <memory>

#include "data/format_error.h"
#include "data/image_decoders.h"

namespace data {

namespace {

// ---- libtiff over bytes in memory
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

class TiffReader {
 public:
  TiffReader(std::string_view bytes, const std::string& name) : name_(name), source_{.bytes = bytes} {
    const std::unique_ptr<TIFFOpenOptions, decltype(&TIFFOpenOptionsFree)> options(TIFFOpenOptionsAlloc(),
                                                                                   &TIFFOpenOptionsFree);
    TIFFOpenOptionsSetMaxSingleMemAlloc(options.get(), tmsize_t(kMaxDecoderBytes));
    TIFFOpenOptionsSetErrorHandlerExtR(options.get(), tiff_error, &source_);
    TIFFOpenOptionsSetWarningHandlerExtR(options.get(), tiff_warning, nullptr);
    // "m": no memory mapping, we have the bytes already.
    tiff_.reset(TIFFClientOpenExt(name.c_str(), "rm", &source_, tiff_read, tiff_write, tiff_seek, tiff_close, tiff_size,
                                  nullptr, nullptr, options.get()));
    if (!tiff_) refuse();
    source_.complaint.clear();  // about tags that nobody needs
  }
  [[noreturn]] void refuse(const std::string& reason = "no reason given") const {
    refuse_picture(name_, "TIFF", source_.complaint.empty() ? reason : source_.complaint);
  }
  bool failed() const { return !source_.complaint.empty(); }
  TIFF* get() const { return tiff_.get(); }
  template <class T>
  T field(uint32_t tag, T missing) const {
    T value;
    return TIFFGetFieldDefaulted(get(), tag, &value) ? value : missing;
  }

 private:
  const std::string& name_;
  TiffSource source_;
  std::unique_ptr<TIFF, decltype(&TIFFClose)> tiff_{nullptr, &TIFFClose};
};

/// Sample i of a row that begins at `row`; fewer than 8 bits are packed from the highest bit down, 12 too.
uint16_t sample(const uint8_t* row, int64_t i, int bits) {
  if (bits == 8) return row[i];
  if (bits == 16) return reinterpret_cast<const uint16_t*>(row)[i];
  const int64_t first = i * bits;
  const unsigned two = row[first / 8] << 8 | (first % 8 + bits > 8 ? row[first / 8 + 1] : 0);
  return uint16_t((two >> (16 - first % 8 - bits)) & ((1u << bits) - 1));
}

/// The first `kept` of a pixel's `stored` samples, interleaved.
std::vector<uint16_t> read_samples(const TiffReader& reader, int64_t height, int64_t width, int bits, int64_t stored,
                                   int64_t kept) {
  TIFF* tiff = reader.get();
  const bool tiled = TIFFIsTiled(tiff);
  const bool planes = reader.field<uint16_t>(TIFFTAG_PLANARCONFIG, PLANARCONFIG_CONTIG) == PLANARCONFIG_SEPARATE;
  const int64_t columns = tiled ? reader.field<uint32_t>(TIFFTAG_TILEWIDTH, 0) : width;
  const int64_t rows = tiled
                           ? reader.field<uint32_t>(TIFFTAG_TILELENGTH, 0)
                           : std::min<int64_t>(height, reader.field<uint32_t>(TIFFTAG_ROWSPERSTRIP, uint32_t(height)));
  const uint64_t size = tiled ? TIFFTileSize64(tiff) : TIFFStripSize64(tiff);
  const int64_t together = planes ? 1 : stored, row_bytes = (columns * together * bits + 7) / 8;
  if (columns < 1 || rows < 1 || size > kMaxDecoderBytes || size < uint64_t(rows * row_bytes))
    reader.refuse("its pieces have no possible size");
  std::vector<uint8_t> piece(size, 0);
  std::vector<uint16_t> samples(size_t(height * width * kept));
  for (int64_t plane = 0; plane < (planes ? kept : 1); ++plane)
    for (int64_t y = 0; y < height; y += rows)
      for (int64_t x = 0; x < width; x += columns) {
        const int64_t down = std::min(rows, height - y), across = std::min(columns, width - x);
        const tmsize_t got =
            tiled ? TIFFReadEncodedTile(tiff, TIFFComputeTile(tiff, uint32_t(x), uint32_t(y), 0, uint16_t(plane)),
                                        piece.data(), tmsize_t(size))
                  : TIFFReadEncodedStrip(tiff, TIFFComputeStrip(tiff, uint32_t(y), uint16_t(plane)), piece.data(),
                                         tmsize_t(size));
        if (got < down * row_bytes || reader.failed()) reader.refuse("a piece of it is too short");
        for (int64_t r = 0; r < down; ++r) {
          const uint8_t* row = &piece[size_t(r * row_bytes)];
          uint16_t* to = &samples[size_t(((y + r) * width + x) * kept + plane)];
          for (int64_t c = 0; c < across; ++c, to += kept)
            if (planes)
              *to = sample(row, c, bits);
            else
              for (int64_t k = 0; k < kept; ++k) to[k] = sample(row, c * stored + k, bits);
        }
      }
  return samples;
}

/// Colours of a palette as RGB. Some writers leave the high byte of the 16 bits empty.
Image look_up(const TiffReader& reader, const std::vector<uint16_t>& index, int64_t height, int64_t width, int bits) {
  uint16_t* colours[3];
  if (!TIFFGetField(reader.get(), TIFFTAG_COLORMAP, &colours[0], &colours[1], &colours[2]))
    reader.refuse("a palette is missing");
  const auto small = [&](const uint16_t* c) { return std::all_of(c, c + (1 << bits), [](int v) { return v < 256; }); };
  const int shift = small(colours[0]) && small(colours[1]) && small(colours[2]) ? 0 : 8;
  Image image(height, width, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = uint8_t(colours[i % 3][index[i / 3]] >> shift);
  return image;
}

/// YCbCr in JPEG's sampling, Lab, logarithms: whatever libtiff knows.
Image read_rare(const TiffReader& reader, int64_t height, int64_t width, int orientation) {
  std::vector<uint32_t> packed(size_t(height * width));
  // Asked for as it lies in the file. One pixel is A B G R from the high byte down.
  if (!TIFFReadRGBAImageOriented(reader.get(), uint32_t(width), uint32_t(height), packed.data(), orientation, 1) ||
      reader.failed())
    reader.refuse();
  Image image(height, width, 3);
  for (size_t i = 0; i < image.pixels.size(); ++i) image.pixels[i] = uint8_t(packed[i / 3] >> (8 * (i % 3)));
  return image;
}

/// Colours that were multiplied with their alpha, as they were before.
void divide_by_alpha(Image& image) {
  const int64_t n = image.channels;
  for (uint8_t* p = image.pixels.data(); p < image.pixels.data() + image.pixels.size(); p += n)
    for (int64_t c = 0; c + 1 < n && p[n - 1] > 0; ++c) p[c] = uint8_t(std::min(255, 255 * p[c] / p[n - 1]));
}

}  // namespace

RawPicture decode_tiff(std::string_view bytes, const std::string& name, Remarks& remarks) {
  const TiffReader reader(bytes, name);
  TIFF* tiff = reader.get();
  const int64_t height = reader.field<uint32_t>(TIFFTAG_IMAGELENGTH, 0);
  const int64_t width = reader.field<uint32_t>(TIFFTAG_IMAGEWIDTH, 0);
  const Admission admitted(height, width, name);
  const int bits = reader.field<uint16_t>(TIFFTAG_BITSPERSAMPLE, 1);
  const int64_t stored = reader.field<uint16_t>(TIFFTAG_SAMPLESPERPIXEL, 1);
  const uint16_t format = reader.field<uint16_t>(TIFFTAG_SAMPLEFORMAT, SAMPLEFORMAT_UINT);
  uint16_t kind = reader.field<uint16_t>(TIFFTAG_PHOTOMETRIC, stored < 3 ? PHOTOMETRIC_MINISBLACK : PHOTOMETRIC_RGB);
  if (kind == PHOTOMETRIC_YCBCR && reader.field<uint16_t>(TIFFTAG_COMPRESSION, 0) == COMPRESSION_JPEG) {
    TIFFSetField(tiff, TIFFTAG_JPEGCOLORMODE, JPEGCOLORMODE_RGB);
    kind = PHOTOMETRIC_RGB;
  }
  RawPicture picture;
  picture.orientation = reader.field<uint16_t>(TIFFTAG_ORIENTATION, ORIENTATION_TOPLEFT);
  const int64_t colours = kind == PHOTOMETRIC_RGB ? 3 : kind == PHOTOMETRIC_SEPARATED ? 4 : 1;
  const bool gray = kind == PHOTOMETRIC_MINISBLACK || kind == PHOTOMETRIC_MINISWHITE;
  const bool palette = kind == PHOTOMETRIC_PALETTE && bits <= 8, inks = kind == PHOTOMETRIC_SEPARATED;
  if (format != SAMPLEFORMAT_UINT && format != SAMPLEFORMAT_VOID) reader.refuse("its samples are signed or fractions");
  if (!gray && !palette && kind != PHOTOMETRIC_RGB && !(inks && stored >= 4)) {
    picture.image = read_rare(reader, height, width, picture.orientation);
  } else {
    if (!(bits == 1 || bits == 2 || bits == 4 || bits == 8 || bits == 12 || bits == 16) || stored < colours)
      reader.refuse(fmt::format("{} samples of {} bits", stored, bits));
    uint16_t extras = 0, *extra = nullptr;
    TIFFGetFieldDefaulted(tiff, TIFFTAG_EXTRASAMPLES, &extras, &extra);
    const uint16_t alpha = extras > 0 && stored > colours && !palette && !inks ? extra[0] : EXTRASAMPLE_UNSPECIFIED;
    const int64_t kept = colours + (alpha != EXTRASAMPLE_UNSPECIFIED);
    std::vector<uint16_t> samples = read_samples(reader, height, width, bits, stored, kept);
    const int most = (1 << bits) - 1;
    if (kind == PHOTOMETRIC_MINISWHITE)
      for (size_t i = 0; i < samples.size(); i += size_t(kept)) samples[i] = uint16_t(most - samples[i]);
    if (palette) {
      picture.image = look_up(reader, samples, height, width, bits);
    } else if (bits > 8) {
      picture.image = eight_bits(samples.data(), height, width, kept, remarks);
    } else {
      picture.image = Image(height, width, kept);
      for (size_t i = 0; i < samples.size(); ++i) picture.image.pixels[i] = uint8_t(samples[i] * 255 / most);
    }
    if (alpha == EXTRASAMPLE_ASSOCALPHA) divide_by_alpha(picture.image);
    if (inks) {
      Image rgb(height, width, 3);
      for (uint8_t& ink : picture.image.pixels) ink = uint8_t(255 - ink);
      for (size_t i = 0; i < size_t(height * width); ++i) rgb_of_inks(&picture.image.pixels[4 * i], &rgb.pixels[3 * i]);
      picture.image = std::move(rgb);
    }
  }
  if (!TIFFLastDirectory(tiff)) remarks.insert("first page read of several");
  return picture;
}

}  // namespace data
