/// Bands: the rows of an image that a few output rows of a convolution read, with their zero padding.
///
/// With channels last, the taps and channels of one filter row are consecutive in an image row. So once the padding is
/// there, a convolution is a sum of `r` runs of `s * c` products, and neighbouring pixels read `stride * c` floats
/// further.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "tensor/cpu/vector.h"

namespace tensor::cpu {

/// A correlation of x[n,h,w,c] with filters of r x s taps: tap (i, j) of output (p, q) reads row p stride + i +
/// first_row and column q stride + j + first_col; outside the image there are zeros.
struct Windows {
  const float* x;
  int64_t n, h, w, c, r, s, p, q, stride, first_row, first_col;
  int64_t output_channels = 0;  // of outputs that are read again and again with the band, as weight gradients do

  /// Products of one output.
  int64_t depth() const { return r * s * c; }
  int64_t columns() const { return (q - 1) * stride + s; }
  /// Output rows of a band: about 256 KB of input and of output, and enough bands to share between threads.
  int64_t band_rows() const {
    constexpr int64_t kFloats = 64 << 10;
    const int64_t input_rows = std::max(r, kFloats / (columns() * c));
    const int64_t output_rows = kFloats / (q * output_channels + 1);
    return std::clamp<int64_t>(std::min((input_rows - r) / stride + 1, output_rows), 1,
                               std::max<int64_t>(1, divide_up(n * p, 16)));
  }
  int64_t bands() const { return divide_up(p, band_rows()); }
  /// Vectors read past the end of a row would leave the image unless rows are whole vectors.
  bool in_place() const {
    return first_row >= 0 && first_col >= 0 && (p - 1) * stride + r + first_row <= h && columns() + first_col <= w &&
           (s * c) % kLanes == 0;
  }
  /// Floats of scratch for one band: its rows, and room to read one tile's width past them.
  int64_t scratch() const {
    return in_place() ? 0 : round_up(((band_rows() - 1) * stride + r) * columns() * c + 4 * kLanes, 64);
  }
};

/// One band: element (row, column, channel) of its input lies at data[row * pitch + column * c + channel].
struct Band {
  const float* data;
  int64_t pitch, image, first, rows;  // output rows [first, first + rows) of image

  /// Band `index` of z, counted over all images; copied to `scratch` unless the image serves as it is.
  Band(const Windows& z, int64_t index, float* scratch)
      : image(index / z.bands()), first(index % z.bands() * z.band_rows()), rows(std::min(z.band_rows(), z.p - first)) {
    const int64_t top = first * z.stride + z.first_row;
    if (z.in_place()) {
      pitch = z.w * z.c;
      data = z.x + ((image * z.h + top) * z.w + z.first_col) * z.c;
      return;
    }
    pitch = z.columns() * z.c;
    data = scratch;
    const int64_t count = (rows - 1) * z.stride + z.r;
    const int64_t left = std::clamp<int64_t>(-z.first_col, 0, z.columns());
    const int64_t right = std::clamp<int64_t>(z.w - z.first_col, left, z.columns());
    for (int64_t i = 0; i < count; ++i) {
      float* to = scratch + i * pitch;
      const int64_t row = top + i;
      if (row < 0 || row >= z.h) {
        std::fill(to, to + pitch, 0.f);
        continue;
      }
      const float* from = z.x + ((image * z.h + row) * z.w + z.first_col + left) * z.c;
      std::fill(to, to + left * z.c, 0.f);
      std::memcpy(to + left * z.c, from, (right - left) * z.c * sizeof(float));
      std::fill(to + right * z.c, to + pitch, 0.f);
    }
    std::fill(scratch + count * pitch, scratch + count * pitch + 4 * kLanes, 0.f);
  }
};

}  // namespace tensor::cpu
