/// Intervals of what several seeds and many test images say together.
#pragma once
#include <cstdint>
#include <vector>

namespace cris {

/// One value of every test image, by seed: values[s][i]. Every seed has the same images in the same order.
using ImagesOfSeeds = std::vector<std::vector<double>>;

/// A mean over seeds and images with its interval.
struct Interval {
  double mean = 0;
  double deviation = 0;      ///< of the seeds' means, with 1 / (n - 1); 0 for one seed
  double low = 0, high = 0;  ///< 2.5 % and 97.5 % of the resampled means
  bool excludes_zero() const { return low > 0 || high < 0; }
};

constexpr int kStudyResamples = 10000;

/// Hierarchical bootstrap of the mean: each resample draws as many seeds as there are, with replacement, then as many
/// images. All seeds share one test set, so the images drawn are the same for every seed: drawn anew for each, they
/// would make the noise of the test set look smaller by the root of the number of seeds. Resample r is a pure function
/// of (seed, r). With one seed the interval holds the noise of the test set alone; with few seeds it is somewhat too
/// narrow. Throws Error when there is no value or the seeds have unlike numbers of images. Source: Owen 2007, The
/// pigeonhole bootstrap, Annals of Applied Statistics 1(2).
Interval hierarchical_bootstrap(const ImagesOfSeeds& values, uint64_t seed = 0, int resamples = kStudyResamples);

/// The same of a - b. Seeds and images are paired: both sides are drawn together. Throws Error when their numbers
/// differ.
Interval paired_difference(const ImagesOfSeeds& a, const ImagesOfSeeds& b, uint64_t seed = 0,
                           int resamples = kStudyResamples);
/// The same of two different test sets, drawn independently. Its deviation is that of independent seeds.
Interval unpaired_difference(const ImagesOfSeeds& a, const ImagesOfSeeds& b, uint64_t seed = 0,
                             int resamples = kStudyResamples);

}  // namespace cris
