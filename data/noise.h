/// Smooth random fields over the plane, the raw material of the synthetic pictures.
#pragma once
#include <vector>

#include "tensor/random.h"

namespace data {

/// A stream read one number after the other.
class Draws {
 public:
  explicit Draws(const tensor::RandomKey& key) : key_(key) {}
  /// Uniform in [low, high).
  double between(double low, double high) { return low + (high - low) * tensor::uniform(key_, next_++); }
  bool chance(double p) { return between(0, 1) < p; }
  int below(int n) { return int(tensor::uniform_below(key_, next_++, uint32_t(n))); }

 private:
  tensor::RandomKey key_;
  uint64_t next_ = 0;
};

/// Fractal value noise: octave o has lattice cells of size cell / 2^o and amplitude 2^-o; lattice values are uniform in
/// [-1, 1], smoothly interpolated. Mean about 0, values within [-1, 1] after division by the sum of amplitudes. Source:
/// value noise as in Perlin 1985, "An image synthesizer", with the cubic fade 3 t^2 - 2 t^3.
class NoiseField {
 public:
  /// Covers [-extent, extent]^2.
  NoiseField(Draws& draws, double extent, double cell, int octaves);
  float at(float u, float v) const;

 private:
  struct Octave {
    int side;
    float per_unit, amplitude;
    std::vector<float> lattice;
  };
  float extent_;
  std::vector<Octave> octaves_;
};

}  // namespace data
