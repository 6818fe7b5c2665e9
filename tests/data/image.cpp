/// Image files: round trips, conversions, and every way in which a file can be bad.
#include "data/image.h"

#include <atomic>

#include "data/format_error.h"
#include "data/image_decoders.h"
#include "data/parallel.h"
#include "folders.h"

namespace {

std::string picture(const std::string& name) { return tensor::read_file(CRIS_TEST_DATA "/pictures/" + name); }

std::string refusal(const std::string& bytes) {
  return message_of<data::FormatError>([&] { data::decode_image(bytes, "polyp.jpg"); });
}

}  // namespace

TEST_CASE("PNG round trip keeps every byte, gray and colour") {
  const Scratch folder;
  for (const int64_t channels : {1, 3}) {
    CAPTURE(channels);
    const data::Image image = gradient(17, 23, channels);
    data::write_png(folder / "x.png", image);
    CHECK(data::read_image(folder / "x.png", int(channels)) == image);
  }
}

TEST_CASE("every format decodes to the pixels that Pillow sees") {
  struct Case {
    const char *name, *remark = "";
  };
  const char *bits8 = "8 of 16 bits used, read as such", *bits12 = "12 of 16 bits used, read as such",
             *alpha = "transparency ignored", *turned = "turned as their orientation tag says";
  for (const auto& [name, remark] : {Case{"rgb.png"},
                                     {"gray.png"},
                                     {"rgba.png", alpha},
                                     {"gray_alpha.png", alpha},
                                     {"palette.png"},
                                     {"beyond.png"},
                                     {"bilevel.png"},
                                     {"gray16.png"},
                                     {"faint8.png", bits8},
                                     {"faint12.png", bits12},
                                     {"turned2.png", turned},
                                     {"turned3.png", turned},
                                     {"turned4.png", turned},
                                     {"turned5.png", turned},
                                     {"turned6.png", turned},
                                     {"turned7.png", turned},
                                     {"turned8.png", turned},
                                     {"rgb.bmp"},
                                     {"gray.bmp"},
                                     {"beyond.bmp"},
                                     {"five_bits.bmp"},
                                     {"444.jpg"},
                                     {"420.jpg"},
                                     {"progressive.jpg"},
                                     {"gray.jpg"},
                                     {"arithmetic.jpg"},
                                     {"cmyk.jpg"},
                                     {"cmyk_without_adobe.jpg"},
                                     {"turned6.jpg", turned},
                                     {"rgb.tif"},
                                     {"lzw.tif"},
                                     {"gray.tif"},
                                     {"white.tif"},
                                     {"cmyk.tif"},
                                     {"deep.tif"},
                                     {"deep_rgb.tif"},
                                     {"black16.tif"},
                                     {"faint8.tif", bits8},
                                     {"faint12.tif", bits12},
                                     {"tiles.tif"},
                                     {"wide_tiles.tif"},
                                     {"tall_tiles.tif"},
                                     {"planes.tif"},
                                     {"plane_tiles.tif"},
                                     {"big.tif"},
                                     {"five_samples.tif"},
                                     {"gray_alpha.tif", alpha},
                                     {"rgba.tif", alpha},
                                     {"multiplied.tif", alpha},
                                     {"turned6.tif", turned},
                                     {"pages.tif", "first page read of several"}}) {
    const std::string file = name;
    CAPTURE(file);
    data::Remarks remarks;
    const data::Image image = data::decode_image(picture(name), name, 3, &remarks);
    CHECK(remarks == (*remark ? data::Remarks{remark} : data::Remarks{}));
    const bool on_its_side = contains(name, "turned") && name[6] >= '5';
    CHECK(image.width == (on_its_side ? 12 : 20));
    CHECK(std::string(image.pixels.begin(), image.pixels.end()) == picture(std::string(name) + ".rgb"));
  }
}

TEST_CASE("one channel is luma") {
  const data::Image rgb = data::decode_image(picture("rgb.png"), "rgb.png", 3);
  const data::Image luma = data::decode_image(picture("rgb.png"), "rgb.png", 1);
  REQUIRE(luma.channels == 1);
  for (size_t i = 0; i < luma.pixels.size(); ++i) {
    const uint8_t* c = &rgb.pixels[3 * i];
    CHECK(std::abs(luma.pixels[i] - (0.299 * c[0] + 0.587 * c[1] + 0.114 * c[2])) < 0.51);
  }
}

TEST_CASE("a file that is not an image is refused with the file's name and what was found") {
  CHECK(contains(refusal(""), "polyp.jpg: the file is empty"));
  CHECK(contains(refusal("hello, this is text"), "polyp.jpg: not a PNG, JPEG, BMP or TIFF"));
  CHECK(contains(refusal("hello, this is text"), "hello"));
  CHECK(contains(message_of<data::FormatError>([] { data::read_image("/nowhere/x.png"); }), "/nowhere/x.png"));
  CHECK_THROWS_AS(data::read_image(CRIS_TEST_DATA "/pictures"), data::FormatError);
}

TEST_CASE("other formats under these names are called what they are") {
  using namespace std::string_view_literals;
  for (const auto& [bytes, kind] : {std::pair{"GIF89a\1\0\1\0"sv, "it is a GIF"},
                                    {"RIFF\0\0\0\0WEBPVP8 "sv, "it is a WebP"},
                                    {"\0\0\0\x1c"
                                     "ftypavif"sv,
                                     "it is an AVIF"},
                                    {"\0\0\0\x0cjP  \r\n"sv, "it is a JPEG 2000"},
                                    {"P6\n1 1\n255\nabc"sv, "it is a PNM"},
                                    {"<!DOCTYPE html>"sv, "it is a web page"},
                                    {"version https://git-lfs.github.com/spec/v1\n"sv, "it is a Git LFS pointer"}})
    CHECK(contains(refusal(std::string(bytes)), kind));
  CHECK(contains(refusal(std::string(128, '\0').append("DICM")), "it is a DICOM file"));
  std::string apple = picture("rgb.png");
  apple.insert(8, std::string("\0\0\0\4CgBI\x50\0\x20\2\x2b\xd5\xb3\x7f", 16));
  CHECK(contains(refusal(apple), "Apple's own format"));
}

TEST_CASE("a JPEG that libjpeg warns of is read to the pixels that are there, and said") {
  const std::string whole = picture("444.jpg");
  const data::Image undamaged = data::decode_image(whole, "x.jpg");
  const std::string body = whole.substr(0, whole.size() - 2), end = "\xff\xd9", zeros(50, '\0');
  for (const std::string& bytes :
       {body + zeros, body + "trailer", body + zeros + end, body + std::string(90, '\xd1') + end,
        whole.substr(0, 20) + "ab" + whole.substr(20)}) {
    data::Remarks remarks;
    CHECK(data::decode_image(bytes, "x.jpg", 3, &remarks) == undamaged);
    CHECK(remarks == data::Remarks{"JPEG slightly damaged, read"});
  }
  // Motion JPEG leaves out the tables that everyone has.
  std::string without = picture("420.jpg");
  for (size_t at; (at = without.find("\xff\xc4")) != std::string::npos;)
    without.erase(at, 2 + size_t(uint8_t(without[at + 2]) << 8 | uint8_t(without[at + 3])));
  CHECK(data::decode_image(without, "x.jpg") == data::decode_image(picture("420.jpg"), "x.jpg"));
  data::Remarks remarks;
  data::decode_image(whole.substr(0, whole.size() - 100) + end, "x.jpg", 3, &remarks);
  CHECK(remarks == data::Remarks{"JPEG data end early, the rest is made up"});
}

TEST_CASE("a JPEG of very many scans is refused before each of them costs its time") {
  std::string jpeg = picture("progressive.jpg");
  const size_t frame = jpeg.find("\xff\xc2"), scan = jpeg.find("\xff\xda");
  jpeg.replace(frame + 5, 4, std::string("\x20\0\x20\0", 4));  // 8192 x 8192
  // A scan of the first coefficients without data, again and again.
  const std::string empty = jpeg.substr(scan, 2 + size_t(uint8_t(jpeg[scan + 3])));
  std::string many = jpeg.substr(0, scan);
  for (int i = 0; i < 100; ++i) many += empty;
  CHECK(contains(refusal(many + "\xff\xd9"), "scans"));
}

TEST_CASE("a file cut off at any byte is refused, never decoded") {
  for (const char* name :
       {"rgb.png", "palette.png", "444.jpg", "420.jpg", "progressive.jpg", "rgb.bmp", "rgb.tif", "lzw.tif"}) {
    const std::string whole = picture(name);
    // A TIFF's directory may end in bytes that nobody needs, and a JPEG of one scan may lack its end marker; everything
    // else must be there to the last byte.
    const bool end_is_spare = contains(name, ".tif") || contains(name, "4.jpg") || contains(name, "0.jpg");
    const data::Image picture = data::decode_image(whole, name);
    for (size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(name);
      CAPTURE(length);
      try {
        const data::Image decoded = data::decode_image(whole.substr(0, length), name);
        CHECK((end_is_spare && decoded == picture));
      } catch (const data::FormatError& e) {
        CHECK(contains(e.what(), name));
      }
    }
  }
}

namespace {

std::string little_endian(uint32_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += char(value >> (8 * i));
  return text;
}

/// 4 x 3 pixels of 24 bits with the header of OS/2 (12 bytes) or, its rows from the top down, of Windows (40).
std::string small_bmp(bool ancient) {
  const std::string header = ancient ? little_endian(12, 4) + little_endian(4, 2) + little_endian(3, 2)
                                     : little_endian(40, 4) + little_endian(4, 4) + little_endian(uint32_t(-3), 4);
  std::string rest = little_endian(1, 2) + little_endian(24, 2);
  if (!ancient) rest += std::string(24, '\0');
  const uint32_t start = uint32_t(14 + header.size() + rest.size());
  std::string pixels;
  for (int i = 0; i < 36; ++i) pixels += char(7 * i);
  return "BM" + little_endian(start + 36, 4) + little_endian(0, 4) + little_endian(start, 4) + header + rest + pixels;
}

}  // namespace

TEST_CASE("BMPs with the ancient header and with rows from the top down are read, and refused when cut off") {
  for (const bool ancient : {true, false}) {
    CAPTURE(ancient);
    const std::string whole = small_bmp(ancient);
    const data::Image image = data::decode_image(whole, "x.bmp");
    REQUIRE(image.width == 4);
    REQUIRE(image.height == 3);
    // Blue, green, red in the file; the first row of the file is the bottom or the top one.
    CHECK(image.at(ancient ? 2 : 0, 0)[2] == 0);
    CHECK(image.at(ancient ? 2 : 0, 0)[0] == 14);
    for (size_t length = 0; length < whole.size(); ++length) {
      CAPTURE(length);
      CHECK_THROWS_AS(data::decode_image(whole.substr(0, length), "x.bmp"), data::FormatError);
    }
  }
  std::string compressed = picture("gray.bmp");
  compressed[30] = 1;
  CHECK(contains(message_of<data::FormatError>([&] { data::decode_image(compressed, "x.bmp"); }), "compressed"));
}

TEST_CASE("a picture wider than the limit is refused by its size, not as an unknown kind") {
  data::Image wide(1, data::kMaxImageSide + 1, 1);
  CHECK(contains(message_of<data::FormatError>([&] { data::decode_image(data::encode_png(wide), "x.png"); }),
                 "beyond the limit"));
}

TEST_CASE("a changed bit anywhere in a PNG is refused") {
  const std::string whole = picture("rgb.png");
  for (size_t i = 0; i < whole.size(); ++i) {
    CAPTURE(i);
    std::string damaged = whole;
    damaged[i] = char(damaged[i] ^ 0x10);
    CHECK_THROWS_AS(data::decode_image(damaged, "x.png"), data::FormatError);
  }
}

TEST_CASE("damaged JPEG, BMP and TIFF files decode to the right size or are refused, but never crash") {
  const tensor::RandomKey key{.seed = 5};
  uint64_t draw = 0;
  for (const char* name : {"444.jpg", "420.jpg", "progressive.jpg", "rgb.bmp", "rgb.tif", "lzw.tif"}) {
    const std::string whole = picture(name);
    for (int trial = 0; trial < 400; ++trial) {
      std::string damaged = whole;
      for (int k = 0; k < 3; ++k) {
        const uint32_t at = tensor::uniform_below(key, draw++, uint32_t(whole.size()));
        damaged[at] = char(tensor::random_bits(key, draw++));
      }
      try {
        const data::Image image = data::decode_image(damaged, name);
        CHECK(int64_t(image.pixels.size()) == image.height * image.width * 3);
      } catch (const data::FormatError& e) {
        CHECK(contains(e.what(), name));
      }
    }
  }
}

TEST_CASE("a picture that claims hostile extents is refused before memory is taken") {
  std::string bmp = picture("rgb.bmp");
  for (const size_t at : {18, 22}) bmp[at] = bmp[at + 1] = bmp[at + 2] = char(0x7f);
  CHECK_THROWS_AS(data::decode_image(bmp, "x.bmp"), data::FormatError);
  std::string tiff = picture("rgb.tif");
  const auto word = [&](size_t at) { return uint8_t(tiff[at]) | uint8_t(tiff[at + 1]) << 8; };
  const size_t directory = size_t(word(4));
  int changed = 0;
  for (int entry = 0; entry < word(directory); ++entry) {
    const size_t at = directory + 2 + 12 * size_t(entry);
    if (word(at) != 256 && word(at) != 257) continue;  // ImageWidth, ImageLength
    tiff.replace(at + 2, 10, std::string("\4\0\1\0\0\0\x40\x9c\0\0", 10));
    ++changed;
  }
  REQUIRE(changed == 2);
  CHECK(contains(message_of<data::FormatError>([&] { data::decode_image(tiff, "x.tif"); }), "beyond the limit"));
  // A TIFF's sides may be nearly 2^32: a signed 64-bit number does not hold their product.
  CHECK_THROWS_AS(data::Admission(4294901772, 2617245716, "x.tif"), data::FormatError);
}

TEST_CASE("writing where it is impossible names the file and leaves nothing behind") {
  const Scratch folder;
  const data::Image image = gradient(8, 8, 3);
  const std::string no_folder = message_of<tensor::Error>([&] { data::write_png(folder / "absent/x.png", image); });
  CHECK(contains(no_folder, "absent/x.png"));
  folder.folder("x.png");
  CHECK(contains(message_of<tensor::Error>([&] { data::write_png(folder / "x.png", image); }), "directory"));
  int entries = 0;
  for ([[maybe_unused]] const auto& e : std::filesystem::directory_iterator(folder.path)) ++entries;
  CHECK(entries == 1);
  CHECK_THROWS_AS(data::encode_png(data::Image(0, 0, 3)), tensor::Error);
}

TEST_CASE("a picture beyond what a PNG encoder counts is refused before anything is written") {
  data::Image film;
  film.height = 1200, film.width = 1204800, film.channels = 3;
  CHECK(contains(message_of<tensor::Error>([&] { data::encode_png(film); }), "1204800 x 1200 pixels are too many"));
}

TEST_CASE("large pictures share the memory for decoding, whatever the number of threads") {
  const std::string large = data::encode_png(data::Image(4100, 4100, 1));
  std::atomic<int> read = 0;
  data::for_each_index(12, 8, [&](int64_t) { read += data::decode_image(large, "large", 1).width == 4100; });
  CHECK(read == 12);
}

TEST_CASE("pictures that belong together are all written or none, and older ones stay") {
  const Scratch folder;
  const data::Image old = gradient(4, 5, 3), fresh = gradient(4, 5, 3, 9);
  data::write_png(folder / "a.png", old);
  CHECK_THROWS_AS(data::write_pngs({{folder / "a.png", fresh}, {folder / "nowhere/b.png", fresh}}), tensor::Error);
  CHECK(data::read_image(folder / "a.png") == old);
  CHECK(folder.entries() == 1);
  data::write_pngs({{folder / "a.png", fresh}, {folder / "b.png", old}});
  CHECK(data::read_image(folder / "a.png") == fresh);
  CHECK(data::read_image(folder / "b.png") == old);
  CHECK(folder.entries() == 2);
}
