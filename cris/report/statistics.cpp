/// Resampling by counter-based random numbers: the same interval on every machine.
#include "cris/report/statistics.h"

#include <algorithm>
#include <cmath>

#include "cris/metrics.h"
#include "tensor/check.h"
#include "tensor/random.h"

namespace cris {

namespace {

constexpr uint32_t kSeedDraws = 0xB008, kImageDraws = 0xB009;  // random streams

void require_values(const ImagesOfSeeds& values) {
  tensor::require(!values.empty() && !values[0].empty(), "the bootstrap has no value to draw from");
  for (const auto& row : values)
    tensor::require(row.size() == values[0].size(), "one seed has {} test images, another {}: their splits differ",
                    values[0].size(), row.size());
}

/// Mean and deviation; no interval yet.
Interval moments(const ImagesOfSeeds& values) {
  std::vector<double> means;
  for (const auto& row : values) means.push_back(spread(row).mean);
  const auto [mean, deviation] = spread(means);
  return {.mean = mean, .deviation = deviation};
}

/// The mean of every resample.
std::vector<double> resampled_means(const ImagesOfSeeds& values, uint64_t seed, int resamples) {
  const size_t seeds = values.size(), images = values[0].size();
  std::vector<double> means(static_cast<size_t>(resamples));
  for (size_t r = 0; r < means.size(); ++r) {
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
    means[r] = sum / double(seeds * images);
  }
  return means;
}

Interval with_interval(Interval result, std::vector<double> resampled) {
  std::sort(resampled.begin(), resampled.end());
  result.low = resampled[resampled.size() * 25 / 1000];
  result.high = resampled[resampled.size() * 975 / 1000 - 1];
  return result;
}

}  // namespace

Interval hierarchical_bootstrap(const ImagesOfSeeds& values, uint64_t seed, int resamples) {
  require_values(values);
  return with_interval(moments(values), resampled_means(values, seed, resamples));
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

Interval unpaired_difference(const ImagesOfSeeds& a, const ImagesOfSeeds& b, uint64_t seed, int resamples) {
  require_values(a), require_values(b);
  std::vector<double> means = resampled_means(a, seed, resamples);
  const std::vector<double> others = resampled_means(b, seed + 1, resamples);
  for (size_t r = 0; r < means.size(); ++r) means[r] -= others[r];
  const Interval of_a = moments(a), of_b = moments(b);
  return with_interval({.mean = of_a.mean - of_b.mean, .deviation = std::hypot(of_a.deviation, of_b.deviation)}, means);
}

}  // namespace cris
