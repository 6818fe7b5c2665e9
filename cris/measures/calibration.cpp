#include "cris/measures/calibration.h"

#include <algorithm>
#include <cmath>

namespace cris {

void Calibration::add(const float* probability, const uint8_t* mask, int64_t pixels) {
  for (int64_t i = 0; i < pixels; ++i) {
    Bin& bin = bins_[size_t(std::min(int(double(probability[i]) * kBins), kBins - 1))];
    ++bin.pixels;
    bin.polyp += mask[i];
    bin.probability += double(probability[i]);
  }
}

double Calibration::expected_error() const {
  int64_t pixels = 0;
  double sum = 0;
  for (const Bin& b : bins_) pixels += b.pixels, sum += std::abs(b.probability - double(b.polyp));
  return pixels ? sum / double(pixels) : 0;
}

}  // namespace cris
