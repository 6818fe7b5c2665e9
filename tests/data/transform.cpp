/// Resizing against Pillow's numbers, and augmentation that keeps image and mask together.
#include "data/transform.h"

#include "folders.h"

namespace {

/// An image whose red channel is its mask: whatever geometry does to one, it must do to the other.
data::Sample marked(int64_t height, int64_t width) {
  data::Sample sample{gradient(height, width, 3),
                      rectangle(height, width, height / 4, width / 5, height / 2, width - 3)};
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) sample.image.at(y, x)[0] = *sample.mask.at(y, x);
  return sample;
}

}  // namespace

TEST_CASE("resize gives Pillow's bytes") {
  struct Size {
    int64_t height, width;
    int tolerance = 0;
  };
  // Where height shrinks and width grows, Pillow takes its passes in the other order: one rounding differs.
  for (const Size& size : {Size{31, 45}, {16, 16}, {31, 7}, {64, 45}, {70, 100}, {5, 90, 1}, {1, 1}})
    for (const int channels : {3, 1}) {
      const int64_t height = size.height, width = size.width;
      CAPTURE(height);
      CAPTURE(width);
      CAPTURE(channels);
      const data::Image x = data::read_image(CRIS_TEST_DATA "/pictures/noisy.png", channels);
      const data::Image y = data::resize(x, height, width);
      const std::string expected = tensor::read_file(
          fmt::format("{}/pictures/noisy_{}x{}_{}.raw", CRIS_TEST_DATA, height, width, channels == 3 ? "RGB" : "L"));
      REQUIRE(y.pixels.size() == expected.size());
      int worst = 0;
      for (size_t i = 0; i < expected.size(); ++i)
        worst = std::max(worst, std::abs(y.pixels[i] - int(uint8_t(expected[i]))));
      CHECK(worst <= size.tolerance);
    }
}

TEST_CASE("flips and quarter turns undo themselves and put corners where they belong") {
  const data::Image x = gradient(5, 8, 3);
  CHECK(data::flip_left_right(data::flip_left_right(x)) == x);
  CHECK(data::flip_top_bottom(data::flip_top_bottom(x)) == x);
  CHECK(data::flip_left_right(x).at(0, 0)[0] == x.at(0, 7)[0]);
  CHECK(data::flip_top_bottom(x).at(0, 0)[0] == x.at(4, 0)[0]);
  const data::Image once = data::rotate_quarters(x, 1);
  CHECK(once.height == 8);
  CHECK(once.width == 5);
  CHECK(once.at(0, 0)[1] == x.at(0, 7)[1]);  // counter-clockwise: the right end of the top row comes to the top left
  CHECK(data::rotate_quarters(once, 1) == data::rotate_quarters(x, 2));
  CHECK(data::rotate_quarters(once, -1) == x);
  CHECK(data::rotate_quarters(x, 2) == data::flip_top_bottom(data::flip_left_right(x)));
}

TEST_CASE("colour shifts: none changes nothing, each does what it says") {
  const data::Image x = gradient(4, 6, 3);
  CHECK(data::shift_colours(x, {}) == x);
  CHECK(data::shift_colours(x, {.hue = 1}) == x);
  const data::Image gray = data::shift_colours(x, {.saturation = 0});
  CHECK(gray.pixels[0] == gray.pixels[1]);
  CHECK(gray.pixels[1] == gray.pixels[2]);
  const data::Image turned = data::shift_colours(x, {.hue = 1.0 / 3});
  CHECK(turned.at(2, 3)[1] == x.at(2, 3)[0]);
  CHECK(turned.at(2, 3)[2] == x.at(2, 3)[1]);
  CHECK(data::shift_colours(x, {.brightness = 1}).pixels[0] == 255);
  CHECK(data::shift_colours(x, {.contrast = 0}).pixels[5] == 128);
}

TEST_CASE("augmentation moves image and mask alike and is a function of key and index") {
  const data::Sample x = marked(40, 40);
  const data::Augmentation geometry{.flip = true, .quarter_turns = true};
  const tensor::RandomKey key{.seed = 3, .stream = 1, .step = 2};
  int changed = 0;
  for (uint64_t index = 0; index < 20; ++index) {
    CAPTURE(index);
    const data::Sample y = data::augment(x, geometry, key, index);
    CHECK(y.image.height == 40);
    CHECK(y.image.width == 40);
    data::Image red(40, 40, 1);
    for (size_t i = 0; i < red.pixels.size(); ++i) red.pixels[i] = y.image.pixels[3 * i];
    data::threshold(red);
    CHECK(red == y.mask);
    const data::Sample again = data::augment(x, geometry, key, index);
    CHECK(again.image == y.image);
    changed += y.mask != x.mask;
  }
  CHECK(changed > 15);
  CHECK(data::augment(x, {}, key, 0).image == x.image);
}

TEST_CASE("colours touch the image only, and do not change what geometry chose") {
  const data::Sample x = marked(24, 32);
  const tensor::RandomKey key{.seed = 9};
  const data::Augmentation turn{.flip = true, .quarter_turns = true};
  data::Augmentation both = turn;
  both.jitter = 1.5;
  const data::Sample plain = data::augment(x, turn, key, 4), coloured = data::augment(x, both, key, 4);
  CHECK(plain.mask == coloured.mask);
  CHECK(plain.image != coloured.image);
  const auto refused = [&] { data::augment(x, {.jitter = 6}, key, 0); };
  CHECK(contains(message_of<tensor::Error>(refused), "jitter"));
}

TEST_CASE("masks come out of a resize as 0 and 255, split at one half") {
  data::Sample x{gradient(2, 2, 3), data::Image(2, 2, 1)};
  x.mask.pixels = {127, 128, 255, 3};
  const data::Sample y = data::resize(x, 2, 2);
  CHECK(y.mask.pixels == std::vector<uint8_t>{0, 255, 255, 0});
  float binary[4], scaled[12];
  data::to_binary(x.mask, binary);
  data::to_unit(x.image, scaled);
  CHECK(binary[0] == 0);
  CHECK(binary[1] == 1);
  CHECK(scaled[3] == float(x.image.pixels[3]) / 255.0f);
}

TEST_CASE("a polyp smaller than a pixel stays one pixel, where it lay") {
  data::Sample x{data::Image(40, 60, 3), data::Image(40, 60, 1)};
  bool speck = true;
  CHECK(std::ranges::count(data::resize(x, 10, 10, &speck).mask.pixels, 255) == 0);
  CHECK_FALSE(speck);  // there is none
  *x.mask.at(33, 45) = 255;
  const data::Sample y = data::resize(x, 10, 10, &speck);
  CHECK(speck);
  CHECK(std::ranges::count(y.mask.pixels, 255) == 1);
  CHECK(*y.mask.at(8, 7) == 255);
  *x.mask.at(33, 45) = data::kMaskThreshold;  // its weight in any pixel of 2 x 2 rounds to 0
  CHECK(*data::resize(x, 2, 2, &speck).mask.at(1, 1) == 255);
  CHECK(speck);
  for (int64_t r = 10; r < 30; ++r) std::fill_n(x.mask.at(r, 10), 40, uint8_t(255));
  data::resize(x, 10, 10, &speck);
  CHECK_FALSE(speck);
}
