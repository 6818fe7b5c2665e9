/// Columns first, then rows: along a row the columns' squared distances are parabolas, and their lower envelope tells
/// which one is the lowest at each pixel.
#include "cris/measures/distance.h"

#include <cmath>

namespace cris {

std::vector<int64_t> nearest_pixels(const BinaryMap& set) {
  const int64_t height = set.height, width = set.width;
  // Row of the set's nearest pixel in the same column; -1: the column has none.
  std::vector<int64_t> row(set.pixels.size(), -1);
  for (int64_t x = 0; x < width; ++x) {
    int64_t above = -1;
    for (int64_t y = 0; y < height; ++y) {
      if (set.at(y, x)) above = y;
      row[size_t(y * width + x)] = above;
    }
    int64_t below = -1;
    for (int64_t y = height - 1; y >= 0; --y) {
      if (set.at(y, x)) below = y;
      int64_t& best = row[size_t(y * width + x)];
      if (below >= 0 && (best < 0 || below - y < y - best)) best = below;
    }
  }

  std::vector<int64_t> nearest(set.pixels.size(), -1), columns(size_t(width), 0);
  for (int64_t y = 0; y < height; ++y) {
    const int64_t* at = row.data() + y * width;
    const auto squared = [&](int64_t column, int64_t x) {
      return (column - x) * (column - x) + (at[column] - y) * (at[column] - y);
    };
    // The columns of the envelope, from left to right. The middle one of three goes when the outer two meet below it.
    size_t count = 0;
    for (int64_t x = 0; x < width; ++x) {
      if (at[x] < 0) continue;
      while (count >= 2) {
        const int64_t left = columns[count - 2], middle = columns[count - 1];
        const int64_t a = middle - left, b = x - middle, c = x - left;
        const auto vertical = [&](int64_t column) { return (at[column] - y) * (at[column] - y); };
        if (c * vertical(middle) - b * vertical(left) - a * vertical(x) <= a * b * c) break;
        --count;
      }
      columns[count++] = x;
    }
    if (count == 0) continue;
    size_t k = 0;
    for (int64_t x = 0; x < width; ++x) {
      while (k + 1 < count && squared(columns[k + 1], x) < squared(columns[k], x)) ++k;
      nearest[size_t(y * width + x)] = at[columns[k]] * width + columns[k];
    }
  }
  return nearest;
}

double pixel_distance(int64_t a, int64_t b, int64_t width) {
  return std::hypot(double(a / width - b / width), double(a % width - b % width));
}

}  // namespace cris
