/// Geometry and colour of pictures: resizing as Pillow does it, and augmentation of image and mask together from one
/// random key.
#pragma once
#include <array>
#include <cstdint>

#include "data/image.h"
#include "tensor/random.h"

namespace data {

/// An image and its mask, of one size. image: 3 channels. mask: 1 channel, 0 or 255 once it was thresholded.
struct Sample {
  Image image, mask;
};

/// A mask pixel counts as polyp from here on: one half of 255, rounded up.
constexpr uint8_t kMaskThreshold = 128;
/// How far JPEG throws the values of a binary mask off at ordinary qualities; 8 to 9 in Kvasir-SEG.
constexpr int kRinging = 16;
/// Whether a mask's values are rather a photograph's: more than half of them lie between black and white, and they are
/// many different ones. `counts`: how often each value occurs.
bool looks_like_a_photograph(const std::array<int64_t, 256>& counts);

/// Bilinear with antialias, along rows, then along columns: y = round(sum_i w_i x_i), w_i the triangle max(0, 1 - |i +
/// 1/2 - c| / s) normalised to sum 1, c = (p + 1/2) scale, s = max(scale, 1), scale = old / new extent. Weights are
/// integers of 22 fractional bits, so every machine gives the same bytes, and they are Pillow's. Source:
/// Image.resize(..., BILINEAR) of Pillow >= 2.7, whose output it equals.
Image resize(const Image& x, int64_t height, int64_t width);

/// 0 below kMaskThreshold, else 255, in place.
void threshold(Image& mask);

/// Image and mask resized alike, the mask thresholded. Polyps that would vanish stay as one pixel, where most of them
/// lay: a network that finds none must not be right. `speck`, if given, tells whether that happened.
Sample resize(const Sample& x, int64_t height, int64_t width, bool* speck = nullptr);

Image flip_left_right(const Image& x);
Image flip_top_bottom(const Image& x);
/// Counter-clockwise by 90 degrees, `turns` times; odd turns swap height and width.
Image rotate_quarters(const Image& x, int turns);

/// y = clamp(rotate_hue(gray + saturation (c - gray)) contrast + (1 - contrast) 128 + 255 brightness), c the colour,
/// gray its luma. hue in turns about the gray axis. {} changes nothing.
struct ColourShift {
  double brightness = 0, contrast = 1, saturation = 1, hue = 0;
};
Image shift_colours(const Image& rgb, const ColourShift& shift);

/// What may be done to a training pair; everything is off by default, as in the paper.
struct Augmentation {
  bool flip = false;           ///< left-right and top-bottom, each with probability 1/2
  bool quarter_turns = false;  ///< 0..3 quarter turns (0 or 2 when the picture is not square)
  double jitter = 0;           ///< j: brightness within 0.2 j, contrast and saturation 1 +- 0.2 j, hue 0.02 j turns
  bool any() const { return flip || quarter_turns || jitter > 0; }
};

/// The same geometry for image and mask, colours for the image only. A pure function of (key, index): draw j of sample
/// `index` is uniform(key, 16 index + j). The mask comes out thresholded, the size unchanged.
Sample augment(const Sample& x, const Augmentation& options, const tensor::RandomKey& key, uint64_t index);

/// y = x / 255.
void to_unit(const Image& x, float* y);
/// y = 1 where x >= kMaskThreshold, else 0.
void to_binary(const Image& mask, float* y);

}  // namespace data
