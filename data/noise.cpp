/// Value noise from small lattices, drawn once per picture.
#include "data/noise.h"

#include <algorithm>
#include <cmath>

namespace data {

NoiseField::NoiseField(Draws& draws, double extent, double cell, int octaves) : extent_(float(extent)) {
  double amplitude = 1, sum = 0;
  for (int o = 0; o < octaves; ++o, amplitude /= 2) sum += amplitude;
  amplitude = 1 / sum;
  for (int o = 0; o < octaves; ++o, amplitude /= 2, cell /= 2) {
    const int side = int(std::ceil(2 * extent / cell)) + 2;
    Octave octave{side, float(1 / cell), float(amplitude), std::vector<float>(size_t(side) * size_t(side))};
    for (float& value : octave.lattice) value = float(draws.between(-1, 1));
    octaves_.push_back(std::move(octave));
  }
}

float NoiseField::at(float u, float v) const {
  float sum = 0;
  for (const Octave& o : octaves_) {
    const float last = float(o.side) - 1.001f;
    const float x = std::clamp((u + extent_) * o.per_unit, 0.0f, last),
                y = std::clamp((v + extent_) * o.per_unit, 0.0f, last);
    const int column = int(x), row = int(y);
    const float tx = x - float(column), ty = y - float(row);
    const float fx = tx * tx * (3 - 2 * tx), fy = ty * ty * (3 - 2 * ty);
    const float* cell = &o.lattice[size_t(row * o.side + column)];
    const float top = cell[0] + fx * (cell[1] - cell[0]);
    const float bottom = cell[o.side] + fx * (cell[o.side + 1] - cell[o.side]);
    sum += o.amplitude * (top + fy * (bottom - top));
  }
  return sum;
}

}  // namespace data
