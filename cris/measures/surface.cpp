#include "cris/measures/surface.h"

#include <algorithm>
#include <cmath>

#include "cris/measures/distance.h"
#include "cris/metrics.h"

namespace cris {

namespace {

BinaryMap outline(const BinaryMap& map) {
  BinaryMap edge{map.height, map.width, std::vector<uint8_t>(map.pixels.size())};
  const auto inside = [&](int64_t y, int64_t x) {
    return y >= 0 && x >= 0 && y < map.height && x < map.width && map.at(y, x);
  };
  for (int64_t y = 0; y < map.height; ++y)
    for (int64_t x = 0; x < map.width; ++x)
      edge.pixels[size_t(y * map.width + x)] =
          inside(y, x) && !(inside(y - 1, x) && inside(y + 1, x) && inside(y, x - 1) && inside(y, x + 1));
  return edge;
}

/// Of each pixel of `from`, the distance to the nearest of `to`.
std::vector<double> distances(const BinaryMap& from, const BinaryMap& to) {
  const std::vector<int64_t> nearest = nearest_pixels(to);
  std::vector<double> values;
  for (size_t i = 0; i < from.pixels.size(); ++i)
    if (from.pixels[i]) values.push_back(pixel_distance(int64_t(i), nearest[i], from.width));
  return values;
}

double percentile(std::vector<double> values, double share) {
  std::sort(values.begin(), values.end());
  const double at = share * double(values.size() - 1);
  const auto low = size_t(at), high = std::min(low + 1, values.size() - 1);
  return values[low] + (at - double(low)) * (values[high] - values[low]);
}

double share_within(const std::vector<double>& values, double limit) {
  return double(std::count_if(values.begin(), values.end(), [&](double v) { return v <= limit; })) /
         double(values.size());
}

}  // namespace

SurfaceScore surface_score(const BinaryMap& prediction, const BinaryMap& mask) {
  const BinaryMap a = outline(prediction), b = outline(mask);
  if (a.area() == 0 && b.area() == 0) return {0, 0, 1};
  const double diagonal = std::hypot(double(mask.height), double(mask.width));
  if (a.area() == 0 || b.area() == 0) return {diagonal, diagonal, 0};
  const std::vector<double> there = distances(a, b), back = distances(b, a);
  std::vector<double> both = there;
  both.insert(both.end(), back.begin(), back.end());
  const double tolerance = std::max(1.0, 0.0075 * diagonal);
  const double precision = share_within(there, tolerance), recall = share_within(back, tolerance);
  return {percentile(both, 0.95), spread(both).mean,
          precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0};
}

}  // namespace cris
