/// The names follow the papers. kTiny is the eps with which their programs avoid 0 / 0.
#include "cris/measures/structure.h"

#include <array>
#include <cmath>
#include <limits>

#include "cris/measures/distance.h"
#include "cris/metrics.h"

namespace cris {

namespace {

constexpr double kTiny = std::numeric_limits<double>::epsilon();

/// 2 m / (m^2 + 1 + s), m and s being mean and deviation of the values.
double object_similarity(const std::vector<double>& values) {
  const auto [mean, deviation] = spread(values);
  return 2 * mean / (mean * mean + 1 + deviation + kTiny);
}

/// Structural similarity of map and mask in a window, and 0 for an empty one.
double window_similarity(const float* p, const BinaryMap& mask, int64_t y0, int64_t y1, int64_t x0, int64_t x1) {
  const auto n = double((y1 - y0) * (x1 - x0));
  if (n <= 0) return 0;
  double x = 0, y = 0;
  for (int64_t v = y0; v < y1; ++v)
    for (int64_t u = x0; u < x1; ++u) x += double(p[v * mask.width + u]), y += mask.at(v, u);
  x /= n, y /= n;
  double xx = 0, yy = 0, xy = 0;
  for (int64_t v = y0; v < y1; ++v)
    for (int64_t u = x0; u < x1; ++u) {
      const double dx = double(p[v * mask.width + u]) - x, dy = double(mask.at(v, u)) - y;
      xx += dx * dx, yy += dy * dy, xy += dx * dy;
    }
  for (double* sum : {&xx, &yy, &xy}) *sum /= n - 1 + kTiny;
  const double top = 4 * x * y * xy, bottom = (x * x + y * y) * (xx + yy);
  return top != 0 ? top / (bottom + kTiny) : bottom == 0 ? 1 : 0;
}

}  // namespace

double s_measure(const float* p, const BinaryMap& mask) {
  const int64_t height = mask.height, width = mask.width, area = mask.area(), pixels = height * width;
  std::vector<double> inside, outside;
  double all = 0, row = 0, column = 0;
  for (int64_t i = 0; i < pixels; ++i) {
    const double value = double(p[i]);
    all += value;
    if (mask.pixels[size_t(i)])
      inside.push_back(value), row += double(i / width), column += double(i % width);
    else
      outside.push_back(1 - value);
  }
  if (area == 0) return 1 - all / double(pixels);
  if (area == pixels) return all / double(pixels);
  const double share = double(area) / double(pixels);
  const double objects = share * object_similarity(inside) + (1 - share) * object_similarity(outside);
  // The centre's own row and column belong to the upper and left regions; halves are rounded to even.
  const int64_t cy = int64_t(std::nearbyint(row / double(area))) + 1;
  const int64_t cx = int64_t(std::nearbyint(column / double(area))) + 1;
  double regions = 0;
  for (const auto& [y0, y1] : {std::pair{int64_t(0), cy}, {cy, height}})
    for (const auto& [x0, x1] : {std::pair{int64_t(0), cx}, {cx, width}})
      regions += double((y1 - y0) * (x1 - x0)) / double(pixels) * window_similarity(p, mask, y0, y1, x0, x1);
  return std::max(0.0, 0.5 * objects + 0.5 * regions);
}

double e_measure(const float* p, const BinaryMap& mask) {
  std::array<int64_t, 256> inside{}, outside{};
  const auto pixels = int64_t(mask.pixels.size()), area = mask.area();
  for (int64_t i = 0; i < pixels; ++i) ++(mask.pixels[size_t(i)] ? inside : outside)[size_t(double(p[i]) * 255)];
  // Pixels that reach the threshold, in the mask and outside it.
  int64_t hits = 0, alarms = 0;
  double total = 0;
  for (size_t k = 256; k-- > 0;) {
    hits += inside[k], alarms += outside[k];
    const int64_t predicted = hits + alarms;
    double sum = 0;
    if (area == 0) {
      sum = double(pixels - predicted);
    } else if (area == pixels) {
      sum = double(predicted);
    } else {
      const double mean_p = double(predicted) / double(pixels), mean_g = double(area) / double(pixels);
      const auto part = [&](int64_t count, double value, double truth) {
        const double a = value - mean_p, b = truth - mean_g;
        const double aligned = 2 * a * b / (a * a + b * b + kTiny);
        sum += double(count) * (aligned + 1) * (aligned + 1) / 4;
      };
      part(hits, 1, 1), part(alarms, 1, 0), part(area - hits, 0, 1), part(pixels - area - alarms, 0, 0);
    }
    total += sum / (double(pixels) - 1 + kTiny);
  }
  return total / 256;
}

double weighted_f(const float* p, const BinaryMap& mask) {
  const int64_t height = mask.height, width = mask.width, area = mask.area();
  if (area == 0) return 0;
  const std::vector<int64_t> nearest = nearest_pixels(mask);
  std::vector<double> error(mask.pixels.size()), of_polyp(mask.pixels.size());
  for (size_t i = 0; i < error.size(); ++i) error[i] = std::abs(double(p[i]) - mask.pixels[i]);
  for (size_t i = 0; i < error.size(); ++i) of_polyp[i] = error[size_t(nearest[i])];
  // A Gaussian of 7 x 7 pixels with deviation 5; nothing beyond the picture.
  constexpr int64_t kRadius = 3;
  std::array<double, 49> kernel{};
  double norm = 0;
  for (int64_t v = -kRadius; v <= kRadius; ++v)
    for (int64_t u = -kRadius; u <= kRadius; ++u)
      norm += kernel[size_t((v + kRadius) * 7 + u + kRadius)] = std::exp(-double(u * u + v * v) / 50);
  double inside = 0, outside = 0;
  for (int64_t y = 0; y < height; ++y)
    for (int64_t x = 0; x < width; ++x) {
      const auto i = size_t(y * width + x);
      if (!mask.pixels[i]) {
        const double distance = pixel_distance(int64_t(i), nearest[i], width);
        outside += error[i] * (2 - std::exp(std::log(0.5) / 5 * distance));
        continue;
      }
      double smooth = 0;
      for (int64_t v = -kRadius; v <= kRadius; ++v)
        for (int64_t u = -kRadius; u <= kRadius; ++u)
          if (y + v >= 0 && y + v < height && x + u >= 0 && x + u < width)
            smooth +=
                kernel[size_t((v + kRadius) * 7 + u + kRadius)] / norm * of_polyp[size_t((y + v) * width + x + u)];
      inside += std::min(smooth, error[i]);
    }
  const double hits = double(area) - inside;
  const double recall = 1 - inside / double(area), precision = hits / (hits + outside + kTiny);
  return 2 * recall * precision / (recall + precision + kTiny);
}

}  // namespace cris
