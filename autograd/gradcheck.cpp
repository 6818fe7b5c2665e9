/// Central differences, and the comparison along single elements and along one direction.
#include "autograd/gradcheck.h"

#include <cmath>

#include "tensor/relative_error.h"

namespace autograd {

namespace {

constexpr double kStep = 1e-5;  // truncation ~ h^2 = 1e-10, cancellation ~ 2e-16 / h = 2e-11
constexpr size_t kSampled = 32;

double dot(const std::vector<double>& a, const std::vector<double>& b) {
  double total = 0;
  for (size_t i = 0; i < a.size(); ++i) total += a[i] * b[i];
  return total;
}

}  // namespace

double central_difference(const Function& outputs, const Cotangent& cotangent, Variable& x,
                          const std::vector<double>& direction, double h) {
  const NoGrad no_graph;
  const Tensor start = x.value();
  const std::vector<double> values = start.to_vector();
  double total = 0;
  for (const double sign : {1.0, -1.0}) {
    std::vector<double> moved = values;
    for (size_t i = 0; i < moved.size(); ++i) moved[i] += sign * h * direction[i];
    x.set_value(Tensor::from(moved, start.shape(), tensor::Device::reference));
    const std::vector<Variable> y = outputs();
    for (size_t i = 0; i < y.size(); ++i)
      total += sign * dot(y[i].value().to_vector(), cotangent(i, y[i].shape()).to_vector());
  }
  x.set_value(start);
  return total / (2 * h);
}

std::vector<GradientError> gradcheck(const OpCase& c, uint64_t seed) {
  const std::vector<Tensor> inputs = case_inputs(c, tensor::DType::f64, tensor::Device::reference, seed);
  const CaseResult result = run_case(c, inputs, seed);
  std::vector<Variable> leaves(inputs.begin(), inputs.end());
  const auto slope = [&](size_t input, const std::vector<double>& direction) {
    return central_difference([&] { return std::vector{c.run(leaves)}; },
                              [&](size_t, const tensor::Shape& y) {
                                return case_cotangent(y, tensor::DType::f64, tensor::Device::reference, seed);
                              },
                              leaves[input], direction, kStep);
  };
  std::vector<GradientError> errors;
  for (size_t input = 0; input < inputs.size(); ++input) {
    if (!c.inputs[input].differentiable) continue;
    tensor::check(result.gradients[input].defined(), "gradcheck: {} gave input {} no gradient", c.name, input);
    const std::vector<double> analytic = result.gradients[input].to_vector();

    std::vector<double> numeric_sample, analytic_sample;
    const size_t sampled = std::min(kSampled, analytic.size());
    for (size_t j = 0; j < sampled; ++j) {
      const size_t i = j * analytic.size() / sampled;
      std::vector<double> unit(analytic.size(), 0);
      unit[i] = 1;
      numeric_sample.push_back(slope(input, unit));
      analytic_sample.push_back(analytic[i]);
    }
    std::vector<double> direction(analytic.size());
    for (size_t i = 0; i < analytic.size(); ++i)
      direction[i] = 2 * tensor::uniform({seed, 2000 + uint32_t(input), 0}, i) - 1;
    const double numeric = slope(input, direction);
    const double scale = std::sqrt(dot(analytic, analytic) * dot(direction, direction));
    errors.push_back({input, tensor::relative_error(analytic_sample, numeric_sample),
                      std::abs(numeric - dot(analytic, direction)) / (scale > 0 ? scale : 1)});
  }
  return errors;
}

}  // namespace autograd
