/// Gradient check of whole models.
#include "cris/model_gradcheck.h"

#include <cmath>

#include "cris/model.h"
#include "nn/init.h"

namespace cris {

namespace {

using tensor::DType;
using tensor::Tensor;
constexpr tensor::Device kDevice = tensor::Device::reference;

double norm(const std::vector<double>& v) {
  double squares = 0;
  for (const double x : v) squares += x * x;
  return std::sqrt(squares);
}

struct Problem {
  Model& model;
  Tensor image, mask;
  Variable loss() {
    nn::set_random_step(model, 7, 0);
    const Outputs out = model(Variable(image));
    Variable total = loss_value(Loss::weighted_sum, {}, out.mask, out.output, mask);
    for (const Variable& side : out.sides)
      total = autograd::add(total, loss_value(Loss::weighted_sum, {}, side, side, mask));
    return total;
  }
};

/// The loss with `w` moved by `step` along `direction`.
double moved_loss(Problem& problem, Variable& w, const std::vector<double>& at, const std::vector<double>& direction,
                  double step) {
  std::vector<double> values = at;
  for (size_t i = 0; i < values.size(); ++i) values[i] += step * direction[i];
  w.set_value(Tensor::from(values, w.shape(), kDevice));
  const autograd::NoGrad no_graph;
  return problem.loss().value().item();
}

/// |numeric - analytic| / |gradient| along `direction`.
double direction_error(Problem& problem, Variable& w, const std::vector<double>& gradient,
                       std::vector<double> direction) {
  const double length = norm(direction), size = norm(gradient);
  double analytic = 0;
  for (size_t i = 0; i < direction.size(); ++i) direction[i] /= length, analytic += direction[i] * gradient[i];
  const Tensor kept = w.value();
  const std::vector<double> at = kept.to_vector();
  const auto slope = [&](double h) {
    return (moved_loss(problem, w, at, direction, h) - moved_loss(problem, w, at, direction, -h)) / (2 * h);
  };
  // Truncation grows with h^2, rounding with 1/h. Two numeric slopes that agree are trusted; the analytic one has no
  // say in that.
  double step = 4e-5, numeric = slope(step);
  for (int halving = 0; halving < 6; ++halving) {
    const double finer = slope(step / 2), extrapolated = (4 * finer - numeric) / 3;
    const double difference = std::abs(extrapolated - finer) / size;
    numeric = finer;
    step /= 2;
    if (difference < 2e-8) {
      numeric = extrapolated;
      break;
    }
  }
  w.set_value(kept);
  return std::abs(numeric - analytic) / size;
}

ModelGradientError check(const std::string& name, const ModelOptions& options, int64_t size) {
  Model model(options);
  model.to(DType::f64);
  model.to(kDevice);
  nn::initialize(model, 11);
  const Tensor image = tensor::uniform({11, 1, 0}, {2, size, size, 3}, 0, 1, DType::f64, kDevice);
  std::vector<double> mask(size_t(2 * size * size));
  for (size_t i = 0; i < mask.size(); ++i) mask[i] = tensor::uniform({11, 2, 0}, i) < 0.3;
  Problem problem{model, image, Tensor::from(mask, {2, size, size, 1}, kDevice)};
  model.zero_grad();
  autograd::backward(problem.loss());
  ModelGradientError result{.model = name, .worst_parameter = "", .worst = 0, .parameters = 0};
  uint32_t stream = 100;
  for (auto& p : model.parameters()) {
    tensor::check(p.value->grad().defined(), "gradcheck: {} of {} has no gradient", p.name, name);
    const std::vector<double> gradient = p.value->grad().to_vector();
    std::vector<double> random(gradient.size());
    for (size_t i = 0; i < random.size(); ++i) random[i] = tensor::normal({11, stream, 0}, i);
    ++stream;
    ++result.parameters;
    for (const auto& direction : {gradient, random}) {
      const double error = direction_error(problem, *p.value, gradient, direction);
      if (!(error <= result.worst)) result.worst = error, result.worst_parameter = p.name;
    }
  }
  return result;
}

}  // namespace

std::vector<ModelGradientError> check_models() {
  ModelOptions options;
  options.refiner = {.channels = 3, .kernels = {5, 3, 3}, .dropout = 0.1};
  options.crf.kind = tensor::GaussianKind::exact;
  options.crf.training_iterations = 2;
  std::vector<ModelGradientError> rows;
  const auto add = [&](BackboneKind kind, Strategy strategy, int64_t size, bool deep) {
    options.backbone = {.kind = kind, .base = 2, .deep_supervision = deep};
    options.strategy = strategy;
    rows.push_back(
        check(fmt::format("{} {}{}", name(kind), name(strategy), deep ? " deep supervision" : ""), options, size));
  };
  add(BackboneKind::unet, Strategy::backbone, 32, false);
  add(BackboneKind::unet, Strategy::cris, 32, false);
  add(BackboneKind::unet, Strategy::crf, 32, false);
  add(BackboneKind::unet_plus_plus, Strategy::cris, 32, false);
  add(BackboneKind::unet_plus_plus, Strategy::backbone, 32, true);
  add(BackboneKind::segnet, Strategy::cris, 64, false);
  return rows;
}

}  // namespace cris
