/// The precision-recall curve over every probability that occurs, and the area below it.
#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

namespace cris {

/// Precision and recall of the pixels with p >= threshold.
struct PrecisionRecallPoint {
  double threshold, precision, recall;
};

/// Collects pixels. Takes 32 MB and 24 bytes for each distinct probability, however many pixels there are.
class PrecisionRecall {
 public:
  /// probability: in [0, 1]; mask: 1 for polyp, else 0.
  void add(const float* probability, const uint8_t* mask, int64_t pixels);
  /// A point for each distinct probability, from the highest to the lowest; recall rises. The curve begins at precision
  /// 1, recall 0, which is no point of it. Empty without a polyp.
  /// Source: sklearn.metrics.precision_recall_curve, in the other order.
  std::vector<PrecisionRecallPoint> curve() const;

 private:
  struct Value {
    uint32_t bits;  // of the probability, which order as it does
    int64_t pixels, hits;
  };
  std::vector<uint32_t> latest_;  // the bits of the probability, then the mask's bit
  std::vector<Value> values_;     // of all pixels before these, from the highest down
  void merge();
};

/// Sum over points of (recall_n - recall_(n-1)) precision_n, without interpolation; 0 of an empty curve.
/// Source: sklearn.metrics.average_precision_score.
double average_precision(const std::vector<PrecisionRecallPoint>& curve);
/// Precision at recall r: that of the first point, from the highest threshold on, whose recall is at least r.
double precision_at(const std::vector<PrecisionRecallPoint>& curve, double recall);
/// At most `most` of the points: the ends, and those whose loss would move the curve most. No point that is left out
/// lies further than `error` from the chord that replaces it, where the limit allows.
std::vector<PrecisionRecallPoint> thinned(const std::vector<PrecisionRecallPoint>& curve, size_t most = 2000,
                                          double error = 1e-4);

}  // namespace cris
