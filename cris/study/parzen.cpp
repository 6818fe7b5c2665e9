/// Parzen estimators.
#include "cris/study/parzen.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <tuple>

namespace cris {

namespace {

/// Phi(x), accurate in the lower tail.
double normal_below(double x) { return 0.5 * std::erfc(-x / std::numbers::sqrt2); }

/// Phi(b) - Phi(a) for a <= b, from the tail where the two are small.
double normal_mass(double a, double b) {
  if (a > 0) return normal_below(-a) - normal_below(-b);
  if (b <= 0) return normal_below(b) - normal_below(a);
  return 1 - normal_below(a) - normal_below(-b);
}

/// The range on the estimator's scale: a whole number is an interval of length 1.
std::pair<double, double> scale_of(const Dimension& d) {
  const double half = d.kind == Dimension::Kind::whole ? 0.5 : 0, low = d.low - half, high = d.high + half;
  return d.log ? std::pair{std::log(low), std::log(high)} : std::pair{low, high};
}

/// From the estimator's scale to a value of the setting. The bounds are exact: exp(log(x)) need not be x.
double value_at(const Dimension& d, double x) {
  double value = d.log ? std::exp(x) : x;
  if (d.kind == Dimension::Kind::whole) value = d.low + std::nearbyint(value - d.low);
  return std::clamp(value, d.low, d.high);
}

size_t index_at(const std::vector<double>& shares, double u) {
  double sum = 0;
  for (size_t i = 0; i + 1 < shares.size(); ++i)
    if (u < (sum += shares[i])) return i;
  return shares.size() - 1;
}

}  // namespace

ParzenEstimator::ParzenEstimator(const Dimension& dimension, const std::vector<double>& observed)
    : dimension_(dimension) {
  const size_t n = observed.size();
  constexpr size_t kFull = 25;
  weights_.assign(n + 1, 1.0);
  if (n > kFull) {
    const size_t ramp = n - kFull;
    const double first = 1.0 / double(n), step = ramp > 1 ? (1 - first) / double(ramp - 1) : 0;
    for (size_t i = 0; i < ramp; ++i) weights_[i] = i + 1 == ramp && ramp > 1 ? 1 : first + double(i) * step;
  }
  const double sum = std::accumulate(weights_.begin(), weights_.end(), 0.0);
  for (double& w : weights_) w /= sum;
  if (dimension.kind == Dimension::Kind::choice)
    fit_choices(observed);
  else
    fit_numbers(observed);
}

void ParzenEstimator::fit_choices(const std::vector<double>& observed) {
  const size_t choices = dimension_.choices.size(), kernels = weights_.size();
  // Without observations the prior alone is left.
  const double prior = 1.0 / double(kernels), sum = 1 + double(choices) * prior;
  probabilities_.assign(choices, weights_.back() / double(choices));
  for (size_t k = 0; k < observed.size(); ++k)
    for (size_t c = 0; c < choices; ++c)
      probabilities_[c] += weights_[k] * (prior + (size_t(observed[k]) == c ? 1 : 0)) / sum;
}

void ParzenEstimator::fit_numbers(const std::vector<double>& observed) {
  std::tie(low_, high_) = scale_of(dimension_);
  means_ = observed;
  if (dimension_.log)
    for (double& m : means_) m = std::log(m);
  means_.push_back(0.5 * (low_ + high_));
  const size_t kernels = means_.size();
  std::vector<size_t> order(kernels);
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, {}, [&](size_t k) { return means_[k]; });
  const double most = high_ - low_, least = most / std::min(100.0, double(kernels) + 1);
  deviations_.assign(kernels, most);
  for (size_t i = 0; i < kernels; ++i) {
    if (order[i] + 1 == kernels) continue;  // the prior
    const bool first = i == 0, last = i + 1 == kernels;
    const double below = first ? 0 : means_[order[i]] - means_[order[i - 1]];
    const double above = last ? 0 : means_[order[i + 1]] - means_[order[i]];
    deviations_[order[i]] = std::clamp(std::max(below, above), least, most);
  }
}

double ParzenEstimator::log_density(double x) const {
  if (dimension_.kind == Dimension::Kind::choice) return std::log(probabilities_.at(size_t(x)));
  const bool interval = dimension_.kind == Dimension::Kind::whole && !dimension_.log;
  const auto scaled = [&](double value) { return dimension_.log ? std::log(value) : value; };
  std::vector<double> terms;
  for (size_t k = 0; k < weights_.size(); ++k) {
    const double m = means_[k], s = deviations_[k];
    const auto standard = [&](double at) { return (at - m) / s; };
    const double z = standard(scaled(x));
    const double kernel = interval ? std::log(normal_mass(standard(x - 0.5), standard(x + 0.5)))
                                   : -z * z / 2 - std::log(s * std::sqrt(2 * std::numbers::pi));
    terms.push_back(std::log(weights_[k]) + kernel - std::log(normal_mass(standard(low_), standard(high_))));
  }
  // The prior's kernel is as wide as the range, so the greatest term is finite.
  const double most = *std::max_element(terms.begin(), terms.end());
  double sum = 0;
  for (const double t : terms) sum += std::exp(t - most);
  return most + std::log(sum);
}

double ParzenEstimator::sample(double u, double v) const {
  if (dimension_.kind == Dimension::Kind::choice) return double(index_at(probabilities_, v));
  const size_t k = index_at(weights_, u);
  const double m = means_[k], s = deviations_[k], first = (low_ - m) / s;
  const double wanted = v * normal_mass(first, (high_ - m) / s);
  // The mass below a point rises with the point: halving the range finds it to the last bit.
  double below = low_, above = high_;
  for (double middle; (middle = 0.5 * (below + above)) > below && middle < above;)
    (normal_mass(first, (middle - m) / s) < wanted ? below : above) = middle;
  return value_at(dimension_, above);
}

double uniform_value(const Dimension& d, double v) {
  if (d.kind == Dimension::Kind::choice)
    return std::min(std::floor(v * double(d.choices.size())), double(d.choices.size() - 1));
  const auto [low, high] = scale_of(d);
  return value_at(d, low + v * (high - low));
}

}  // namespace cris
