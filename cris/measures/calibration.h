/// Whether a probability of 0.8 is right in eight cases of ten.
#pragma once
#include <array>
#include <cstdint>

namespace cris {

/// Collects pixels in 15 bins of equal width over [0, 1]; p = 1 belongs to the last.
class Calibration {
 public:
  static constexpr int kBins = 15;
  struct Bin {
    int64_t pixels = 0, polyp = 0;
    double probability = 0;  ///< the sum over its pixels
  };
  void add(const float* probability, const uint8_t* mask, int64_t pixels);
  const std::array<Bin, kBins>& bins() const { return bins_; }
  /// Sum over bins of (pixels of the bin / all pixels) |mean p - share of polyp|; 0 of nothing.
  /// Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
  double expected_error() const;

 private:
  std::array<Bin, kBins> bins_{};
};

}  // namespace cris
