#include "cris/measures/rank_test.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>

namespace cris {

namespace {

constexpr size_t kCounted = 9;

/// The share of all signs whose smaller rank sum is at most `sum`.
double exact_p(const std::vector<double>& ranks, double sum) {
  const auto n = unsigned(ranks.size());
  const double all = std::accumulate(ranks.begin(), ranks.end(), 0.0);
  int64_t as_far = 0;
  for (uint32_t signs = 0; signs < 1u << n; ++signs) {
    double positive = 0;
    for (unsigned i = 0; i < n; ++i) positive += signs >> i & 1 ? ranks[i] : 0;
    as_far += std::min(positive, all - positive) <= sum;
  }
  return double(as_far) / double(1u << n);
}

}  // namespace

RankTest wilcoxon(const std::vector<double>& differences) {
  std::vector<double> d = differences;
  std::erase(d, 0);
  std::ranges::sort(d, {}, [](double v) { return std::abs(v); });
  if (d.empty()) return {};
  const auto n = double(d.size());
  std::vector<double> ranks(d.size());
  double positive = 0, ties = 0;
  for (size_t begin = 0, end = 0; begin < d.size(); begin = end) {
    while (end < d.size() && std::abs(d[end]) == std::abs(d[begin])) ++end;
    const auto t = double(end - begin);
    ties += t * t * t - t;
    for (size_t i = begin; i < end; ++i) {
      ranks[i] = double(begin + 1 + end) / 2;
      if (d[i] > 0) positive += ranks[i];
    }
  }
  const double all = n * (n + 1) / 2, sum = std::min(positive, all - positive);
  if (d.size() <= kCounted) return {sum, exact_p(ranks, sum)};
  const double variance = n * (n + 1) * (2 * n + 1) / 24 - ties / 48;
  return {sum, std::erfc((all / 2 - sum) / std::sqrt(2 * variance))};
}

std::vector<double> holm(const std::vector<double>& p) {
  std::vector<size_t> order(p.size());
  std::iota(order.begin(), order.end(), size_t(0));
  std::ranges::sort(order, {}, [&](size_t i) { return p[i]; });
  std::vector<double> corrected(p.size());
  double least = 0;
  for (size_t k = 0; k < order.size(); ++k) {
    least = std::max(least, std::min(1.0, double(p.size() - k) * p[order[k]]));
    corrected[order[k]] = least;
  }
  return corrected;
}

}  // namespace cris
