/// The Parzen estimator of TPE: a density over one setting, made of a kernel for every observed value and one for the
/// prior. Bergstra et al. 2011 (section 4), as Optuna 3.6 computes it (Akiba et al. 2019); 4.9 and later leave the
/// prior out of the neighbours.
///
/// On the setting's scale (of its logarithm with `log`), with the range low..high, n observed values and K = n + 1
/// kernels:
///   p(x) = sum_k w_k N(x; m_k, s_k) / (Phi((high - m_k) / s_k) - Phi((low - m_k) / s_k))
///   m_k: the observed value; of the prior, the last, the middle of the range
///   s_k: the larger distance to a neighbour among the sorted m, but at least (high - low) / min(100, K + 1) and at
///   most
///        high - low; of the prior high - low
///   w_k: 1, before it is divided by the sum; from n = 26 on the older values count less: the first n - 25 rise in even
///        steps from 1 / n to 1
/// The range of a whole number begins 1/2 below and ends 1/2 above; without `log` its N is the integral over
/// x - 1/2 .. x + 1/2.
/// Choices: every kernel is a distribution over the choices with 1 / K for each and 1 more for the observed one,
/// divided by its sum.
#pragma once
#include <vector>

#include "cris/study/search.h"

namespace cris {

class ParzenEstimator {
 public:
  /// `observed`: values of the setting in the order of their trials, inside its range.
  ParzenEstimator(const Dimension& dimension, const std::vector<double>& observed);
  /// log p(x) of a value of the setting.
  double log_density(double x) const;
  /// The value at two numbers of the unit interval: u picks a kernel, v the quantile in it.
  double sample(double u, double v) const;

  const std::vector<double>& weights() const { return weights_; }
  /// Empty for choices.
  const std::vector<double>& means() const { return means_; }
  const std::vector<double>& deviations() const { return deviations_; }

 private:
  Dimension dimension_;
  double low_ = 0, high_ = 0;  // of the estimator's scale
  std::vector<double> weights_, means_, deviations_;
  std::vector<double> probabilities_;  // of choices
  void fit_numbers(const std::vector<double>& observed);
  void fit_choices(const std::vector<double>& observed);
};

/// The number at v of the unit interval when every value is as likely as any other (on the scale of the logarithm with
/// `log`): the draws before there is anything to learn from.
double uniform_value(const Dimension& dimension, double v);

}  // namespace cris
