#include "cris/measures/precision_recall.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <functional>
#include <queue>

namespace cris {

void PrecisionRecall::add(const float* probability, const uint8_t* mask, int64_t pixels) {
  constexpr size_t kMost = size_t(1) << 22;
  // -0 is 0, whose bits come first.
  for (int64_t i = 0; i < pixels; ++i) {
    latest_.push_back(std::bit_cast<uint32_t>(probability[i] + 0.0f) << 1 | (mask[i] ? 1u : 0u));
    if (latest_.size() == kMost) merge();
  }
}

void PrecisionRecall::merge() {
  std::sort(latest_.begin(), latest_.end(), std::greater<>());
  std::vector<Value> all;
  all.reserve(values_.size());
  const auto add = [&](const Value& v) {
    if (all.empty() || all.back().bits != v.bits)
      all.push_back(v);
    else
      all.back().pixels += v.pixels, all.back().hits += v.hits;
  };
  auto before = values_.begin();
  for (const uint32_t p : latest_) {
    while (before != values_.end() && before->bits >= p >> 1) add(*before++);
    add({p >> 1, 1, p & 1});
  }
  while (before != values_.end()) add(*before++);
  values_ = std::move(all);
  latest_.clear();
}

std::vector<PrecisionRecallPoint> PrecisionRecall::curve() const {
  PrecisionRecall whole = *this;
  whole.merge();
  int64_t polyp = 0, pixels = 0, hits = 0;
  for (const Value& v : whole.values_) polyp += v.hits;
  std::vector<PrecisionRecallPoint> points;
  if (polyp == 0) return points;
  for (const Value& v : whole.values_) {
    pixels += v.pixels, hits += v.hits;
    points.push_back(
        {double(std::bit_cast<float>(v.bits)), double(hits) / double(pixels), double(hits) / double(polyp)});
  }
  return points;
}

double average_precision(const std::vector<PrecisionRecallPoint>& curve) {
  double sum = 0, before = 0;
  for (const PrecisionRecallPoint& p : curve) sum += (p.recall - before) * p.precision, before = p.recall;
  return sum;
}

double precision_at(const std::vector<PrecisionRecallPoint>& curve, double recall) {
  const auto at = std::lower_bound(curve.begin(), curve.end(), recall,
                                   [](const PrecisionRecallPoint& p, double r) { return p.recall < r; });
  return at == curve.end() ? 0 : at->precision;
}

std::vector<PrecisionRecallPoint> thinned(const std::vector<PrecisionRecallPoint>& curve, size_t most, double error) {
  if (curve.size() <= 2) return curve;
  // Chords, the worst first, are split at the point furthest from them (Douglas and Peucker).
  struct Chord {
    double distance;
    size_t begin, end, furthest;
    bool operator<(const Chord& o) const { return std::tie(distance, o.begin) < std::tie(o.distance, begin); }
  };
  const auto chord = [&](size_t begin, size_t end) {
    Chord c{0, begin, end, begin};
    const double dx = curve[end].recall - curve[begin].recall, dy = curve[end].precision - curve[begin].precision;
    const double length = std::hypot(dx, dy);
    for (size_t i = begin + 1; i < end; ++i) {
      const double x = curve[i].recall - curve[begin].recall, y = curve[i].precision - curve[begin].precision;
      const double t = length > 0 ? std::clamp((x * dx + y * dy) / (length * length), 0.0, 1.0) : 0;
      const double d = std::hypot(x - t * dx, y - t * dy);
      if (d > c.distance) c.distance = d, c.furthest = i;
    }
    return c;
  };
  std::vector<size_t> kept{0, curve.size() - 1};
  std::priority_queue<Chord> chords;
  chords.push(chord(0, curve.size() - 1));
  while (kept.size() < most && chords.top().distance > error) {
    const Chord c = chords.top();
    chords.pop();
    kept.push_back(c.furthest);
    chords.push(chord(c.begin, c.furthest)), chords.push(chord(c.furthest, c.end));
  }
  std::sort(kept.begin(), kept.end());
  std::vector<PrecisionRecallPoint> points;
  for (const size_t i : kept) points.push_back(curve[i]);
  return points;
}

}  // namespace cris
