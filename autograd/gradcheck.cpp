/// Central differences along single elements and along one direction.
#include "autograd/gradcheck.h"

#include <cmath>

namespace autograd {

namespace {

constexpr double kStep = 1e-5;  // truncation ~ h^2 = 1e-10, cancellation ~ 2e-16 / h = 2e-11
constexpr size_t kSampled = 32;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double total = 0;
  for (size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

/// L as a function of one input's values.
class Probe {
 public:
  Probe(const OpCase& c, std::vector<Tensor> inputs, uint64_t seed)
      : case_(c), inputs_(std::move(inputs)), seed_(seed) {}
  double loss(size_t input, const std::vector<double>& values) {
    const NoGrad no_grad;
    std::vector<Variable> leaves;
    for (size_t i = 0; i < inputs_.size(); ++i)
      leaves.emplace_back(i == input ? Tensor::from(values, inputs_[i].shape(), tensor::Device::reference)
                                     : inputs_[i]);
    const Variable y = case_.run(leaves);
    if (cotangent_.empty())
      cotangent_ = case_cotangent(y.shape(), tensor::DType::f64, tensor::Device::reference, seed_).to_vector();
    return dot(y.value().to_vector(), cotangent_);
  }
  /// dL / dt of x + t direction at t = 0.
  double slope(size_t input, const std::vector<double>& x, const std::vector<double>& direction) {
    std::vector<double> above = x, below = x;
    for (size_t i = 0; i < x.size(); ++i) {
      above[i] += kStep * direction[i];
      below[i] -= kStep * direction[i];
    }
    return (loss(input, above) - loss(input, below)) / (2 * kStep);
  }

 private:
  const OpCase& case_;
  std::vector<Tensor> inputs_;
  uint64_t seed_;
  std::vector<double> cotangent_;
};

}  // namespace

double relative_error(const std::vector<double>& a, const std::vector<double>& b) {
  tensor::check(a.size() == b.size(), "relative_error: {} and {} values", a.size(), b.size());
  double difference = 0;
  for (size_t i = 0; i < a.size(); ++i) difference += (a[i] - b[i]) * (a[i] - b[i]);
  const double norm = dot(b, b);
  return std::sqrt(norm > 0 ? difference / norm : difference);
}

std::vector<GradientError> gradcheck(const OpCase& c, uint64_t seed) {
  const std::vector<Tensor> inputs = case_inputs(c, tensor::DType::f64, tensor::Device::reference, seed);
  const CaseResult result = run_case(c, inputs, seed);
  Probe probe(c, inputs, seed);
  std::vector<GradientError> errors;
  for (size_t input = 0; input < inputs.size(); ++input) {
    if (!c.inputs[input].differentiable) continue;
    tensor::check(result.gradients[input].defined(), "gradcheck: {} gave input {} no gradient", c.name, input);
    const std::vector<double> x = inputs[input].to_vector(), analytic = result.gradients[input].to_vector();

    std::vector<double> numeric_sample, analytic_sample;
    const size_t sampled = std::min(kSampled, x.size());
    for (size_t j = 0; j < sampled; ++j) {
      const size_t i = j * x.size() / sampled;
      std::vector<double> unit(x.size(), 0);
      unit[i] = 1;
      numeric_sample.push_back(probe.slope(input, x, unit));
      analytic_sample.push_back(analytic[i]);
    }
    std::vector<double> direction(x.size());
    for (size_t i = 0; i < x.size(); ++i) direction[i] = 2 * tensor::uniform({seed, 2000 + uint32_t(input), 0}, i) - 1;
    const double slope = probe.slope(input, x, direction);
    const double scale = std::sqrt(dot(analytic, analytic) * dot(direction, direction));
    errors.push_back({input, relative_error(analytic_sample, numeric_sample),
                      std::abs(slope - dot(analytic, direction)) / (scale > 0 ? scale : 1)});
  }
  return errors;
}

}  // namespace autograd
