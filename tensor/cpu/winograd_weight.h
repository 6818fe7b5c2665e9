/// Transforms filters into Winograd's domain.
#pragma once
#include <cstdint>

#include "tensor/cpu/transpose.h"
#include "tensor/cpu/winograd_transform.h"

namespace tensor::cpu {

/// u[f][c0 .. c1][width] of outputs k0 .. k0 + width, `plane` floats between values of f, rows counted from c0.
/// w: [k][3][3][c]; turned: w is [c][3][3][k], read backwards (the input gradient). c0, c1, k0 and width are whole
/// vectors.
template <int M>
void transform_weight(const float* w, int64_t c, int64_t k, bool turned, int64_t k0, int64_t width, int64_t c0,
                      int64_t c1, float* u, int64_t plane) {
  constexpr int I = Winograd<M>::kIn;
  alignas(64) float taps[9][kLanes][kLanes];  // [tap][c][k]: the weight has c innermost, the product wants k
  for (int64_t v = 0; v < width; v += kLanes)
    for (int64_t e = c0; e < c1; e += kLanes) {
      if (!turned)
        for (int f = 0; f < 9; ++f) transpose_square(w + ((k0 + v) * 9 + f) * c + e, 9 * c, taps[f][0], kLanes);
      for (int i = 0; i < kLanes; ++i) {
        float* to = u + (e - c0 + i) * width + v;
        both_axes<3, I>(
            Winograd<M>::weight,
            [&](int r, int s) {
              return turned ? load(w + ((e + i) * 9 + 8 - r * 3 - s) * k + k0 + v) : load(taps[r * 3 + s][i]);
            },
            [&](int a, int b, Vec y) { store(to + (a * I + b) * plane, y); });
      }
    }
}

}  // namespace tensor::cpu
