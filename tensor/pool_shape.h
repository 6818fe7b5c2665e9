/// Extents and index arithmetic of pooling and resizing, host and device.
#pragma once
#include <cstdint>

#include "tensor/host_device.h"

namespace tensor {

/// Square windows without padding: x[n,h,w,c] -> y[n,p,q,c], p = (h - kernel) / stride + 1 rounded down.
/// The place of a window's maximum is stored as u8: row_in_window * kernel + column_in_window, so kernel <= 15.
struct PoolShape {
  int64_t n, h, w, c, p, q, kernel, stride;
};

enum class ResizeMode {
  nearest,           ///< source = floor(i * in / out)
  bilinear_corners,  ///< align_corners: source = i * (in - 1) / (out - 1), 0 when out is 1
  bilinear_centers   ///< pixel centers: source = max(0, (i + 1/2) * in / out - 1/2)
};

/// x[n,h,w,c] -> y[n,p,q,c].
struct ResizeShape {
  int64_t n, h, w, c, p, q;
  ResizeMode mode;
};

/// The two neighbours of an output coordinate and the weight of the second: y = (1 - t) x[first] + t x[second].
struct ResizeTap {
  int64_t first, second;
  double t;
};

/// Where output coordinate `i` of `out` reads along an axis of `in` (PyTorch's upsample conventions).
HD inline ResizeTap resize_tap(int64_t i, int64_t in, int64_t out, ResizeMode mode) {
  if (mode == ResizeMode::nearest) {
    const int64_t at = i * in / out;
    return {at, at, 0.0};
  }
  double at;
  if (mode == ResizeMode::bilinear_corners) {
    at = out > 1 ? double(i) * double(in - 1) / double(out - 1) : 0.0;
  } else {
    at = (double(i) + 0.5) * double(in) / double(out) - 0.5;
    if (at < 0) at = 0;
  }
  int64_t first = int64_t(at);
  if (first > in - 1) first = in - 1;
  return {first, first + 1 < in ? first + 1 : first, at - double(first)};
}

}  // namespace tensor
