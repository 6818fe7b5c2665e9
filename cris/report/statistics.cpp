/// Resampling by counter-based random numbers: the same interval on every machine.
#include "cris/report/statistics.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tensor/check.h"
#include "tensor/random.h"

namespace cris {

namespace {

constexpr uint32_t kSeedDraws = 0xB008, kImageDraws = 0xB009;  // random streams

double mean_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

}  // namespace

Interval hierarchical_bootstrap(const ImagesOfSeeds& values, uint64_t seed, int resamples) {
  tensor::require(!values.empty() && !values[0].empty(), "the bootstrap has no value to draw from");
  const size_t seeds = values.size(), images = values[0].size();
  for (const auto& row : values)
    tensor::require(row.size() == images, "one seed has {} test images, another {}: they are of different splits",
                    images, row.size());
  std::vector<double> means;
  for (const auto& row : values) means.push_back(mean_of(row));
  Interval result{.mean = mean_of(means)};
  double squares = 0;
  for (const double m : means) squares += (m - result.mean) * (m - result.mean);
  result.deviation = seeds > 1 ? std::sqrt(squares / double(seeds - 1)) : 0;

  std::vector<double> resampled(static_cast<size_t>(resamples));
  for (size_t r = 0; r < resampled.size(); ++r) {
    const tensor::RandomKey which{.seed = seed, .stream = kSeedDraws, .step = uint32_t(r)};
    const tensor::RandomKey image{.seed = seed, .stream = kImageDraws, .step = uint32_t(r)};
    std::vector<const double*> drawn;
    for (size_t s = 0; s < seeds; ++s) drawn.push_back(values[tensor::uniform_below(which, s, uint32_t(seeds))].data());
    double sum = 0;
    // A block gives four draws: asked one by one, each would cost as much.
    for (size_t i = 0; i < images; i += 4) {
      const auto block = tensor::random_block(image, i / 4);
      for (size_t k = 0; k < 4 && i + k < images; ++k)
        for (const double* row : drawn) sum += row[size_t(uint64_t(block[k]) * images >> 32)];
    }
    resampled[r] = sum / double(seeds * images);
  }
  std::sort(resampled.begin(), resampled.end());
  result.low = resampled[resampled.size() * 25 / 1000];
  result.high = resampled[resampled.size() * 975 / 1000 - 1];
  return result;
}

Interval paired_difference(const ImagesOfSeeds& a, const ImagesOfSeeds& b, uint64_t seed, int resamples) {
  tensor::require(a.size() == b.size(), "a difference of {} seeds and {} seeds cannot be paired", a.size(), b.size());
  ImagesOfSeeds difference = a;
  for (size_t s = 0; s < a.size(); ++s) {
    tensor::require(a[s].size() == b[s].size(), "a difference of {} and {} test images cannot be paired", a[s].size(),
                    b[s].size());
    for (size_t i = 0; i < a[s].size(); ++i) difference[s][i] -= b[s][i];
  }
  return hierarchical_bootstrap(difference, seed, resamples);
}

}  // namespace cris
