/// What the tests of the lattice and of the Gaussian filters share: a picture to filter by, values to filter, and the
/// filter applied to a whole batch.
#pragma once
#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "tensor/dispatch.h"
#include "tensor/gaussian/gaussian_filter.h"
#include "tensor/ops.h"

namespace filtered {

using namespace tensor;

/// A picture with a bright disc on a shaded ground, stripes and noise: edges, slopes and texture. [1,size,size,3],
/// 0..255.
inline Tensor textured_image(int64_t size, DType dtype, Device device, uint64_t seed) {
  std::vector<double> values;
  const RandomKey noise{seed, 1, 0};
  const double cy = size * (0.3 + 0.4 * uniform({seed, 2, 0}, 0)), cx = size * (0.3 + 0.4 * uniform({seed, 2, 0}, 1));
  for (int64_t y = 0; y < size; ++y)
    for (int64_t x = 0; x < size; ++x) {
      const bool inside = std::hypot(double(y) - cy, double(x) - cx) < 0.25 * double(size);
      for (int c = 0; c < 3; ++c) {
        const double shade = 90 - 25 * c + 60.0 * double(x + y) / double(2 * size) + 8 * std::sin(0.7 * double(x - y));
        const double grain = 6 * normal(noise, uint64_t((y * size + x) * 3 + c));
        values.push_back(std::floor(std::clamp(shade + (inside ? 55 - 20 * c : 0) + grain, 0.0, 255.0)));
      }
    }
  return cast(Tensor::from(values, {1, size, size, 3}, device), dtype);
}

inline Tensor random_signal(const Shape& shape, DType dtype, Device device, uint64_t seed) {
  return cast(uniform({seed, 3, 0}, shape, 0, 1, DType::f64, Device::reference).to(device), dtype);
}

/// On the device of x, without normalisation.
inline Tensor raw_lattice(const Lattice& l, bool transpose, const Tensor& x) {
  const Tensor y = full_like(x, std::numeric_limits<double>::quiet_NaN());
  run(&Backend::lattice_gaussian, l, {.image = 0, .transpose = transpose, .before = {}, .after = {}}, x, y);
  return y;
}

inline Tensor apply(const GaussianFilter& filter, const Tensor& x, bool transpose = false) {
  const Tensor y = full_like(x, std::numeric_limits<double>::quiet_NaN());
  for (int64_t n = 0; n < x.shape()[0]; ++n) filter.apply(n, transpose, x, y);
  return y;
}

}  // namespace filtered
