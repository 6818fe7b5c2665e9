#include "cris/measures/lesions.h"

#include <algorithm>

namespace cris {

int64_t label_components(const BinaryMap& map, std::vector<int32_t>& labels) {
  labels.assign(map.pixels.size(), 0);
  int32_t count = 0;
  std::vector<int64_t> open;
  for (size_t first = 0; first < map.pixels.size(); ++first) {
    if (!map.pixels[first] || labels[first]) continue;
    labels[first] = ++count;
    open.push_back(int64_t(first));
    while (!open.empty()) {
      const int64_t y = open.back() / map.width, x = open.back() % map.width;
      open.pop_back();
      for (int64_t v = std::max<int64_t>(y - 1, 0); v <= std::min(y + 1, map.height - 1); ++v)
        for (int64_t u = std::max<int64_t>(x - 1, 0); u <= std::min(x + 1, map.width - 1); ++u) {
          int32_t& label = labels[size_t(v * map.width + u)];
          if (!map.at(v, u) || label) continue;
          label = count;
          open.push_back(v * map.width + u);
        }
    }
  }
  return count;
}

LesionCounts count_lesions(const BinaryMap& prediction, const BinaryMap& mask) {
  std::vector<int32_t> lesion, guess;
  const int64_t lesions = label_components(mask, lesion), guesses = label_components(prediction, guess);
  std::vector<bool> found(size_t(lesions) + 1), right(size_t(guesses) + 1);
  for (size_t i = 0; i < lesion.size(); ++i)
    if (lesion[i] && guess[i]) found[size_t(lesion[i])] = right[size_t(guess[i])] = true;
  LesionCounts counts{.lesions = lesions, .found = 0, .false_positives = guesses};
  for (const bool f : found) counts.found += f;
  for (const bool r : right) counts.false_positives -= r;
  return counts;
}

}  // namespace cris
