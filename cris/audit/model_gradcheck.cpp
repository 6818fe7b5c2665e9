/// Gradients of whole networks against difference quotients.
#include "cris/audit/model_gradcheck.h"

#include <algorithm>
#include <cmath>

#include "autograd/gradcheck.h"
#include "nn/dropout.h"
#include "nn/init.h"

namespace cris {

namespace {

using tensor::Device;
using tensor::DType;
using tensor::Tensor;

constexpr double kRefine = 5;  // between the steps h of one slope
constexpr uint32_t kImage = 1, kCotangent = 2, kDirection = 100;

double norm(const std::vector<double>& v) {
  double total = 0;
  for (const double x : v) total += x * x;
  return std::sqrt(total);
}

/// One network, its input, and L as a function of any parameter.
class Probe {
 public:
  Probe(const ModelCheck& check, uint64_t seed) : seed_(seed), model_(check.options) {
    model_.to(DType::f64);
    model_.to(Device::reference);
    nn::initialize(model_, seed);
    nn::set_random_step(model_, seed, 0);
    const tensor::Shape shape{2, check.size, check.size, check.options.backbone.in_channels};
    image_ = Variable(tensor::uniform({seed, kImage, 0}, shape, 0, 1, DType::f64, Device::reference), true);
  }

  std::vector<nn::Named<Variable>> variables() {
    auto all = model_.parameters();
    all.push_back({"image", &image_});
    return all;
  }

  /// Gradients of L by the formulas.
  void backward() {
    Variable total;
    const std::vector<Variable> y = heads();
    for (size_t i = 0; i < y.size(); ++i) {
      const Variable part = autograd::sum(autograd::multiply(y[i], Variable(cotangent(i, y[i].shape()))));
      total = total.defined() ? autograd::add(total, part) : part;
    }
    autograd::backward(total);
  }

  double slope(Variable& x, const std::vector<double>& direction, double h) {
    return autograd::central_difference(
        [&] { return heads(); }, [&](size_t i, const tensor::Shape& y) { return cotangent(i, y); }, x, direction, h);
  }

 private:
  uint64_t seed_;
  Model model_;
  Variable image_;

  /// Probabilities of every head.
  std::vector<Variable> heads() {
    const Outputs out = model_(image_);
    std::vector<Variable> y{autograd::sigmoid(out.mask)};
    if (model_.options.strategy != Strategy::backbone) y.push_back(autograd::sigmoid(out.output));
    for (const Variable& side : out.sides) y.push_back(autograd::sigmoid(side));
    return y;
  }
  Tensor cotangent(size_t head, const tensor::Shape& shape) const {
    return tensor::uniform({seed_, kCotangent, uint32_t(head)}, shape, -1, 1, DType::f64, Device::reference);
  }
};

}  // namespace

std::vector<ModelCheck> model_checks() {
  const auto check = [](const char* name, BackboneKind kind, Strategy strategy) {
    ModelCheck c{name, {}, 32};
    c.options.backbone = {.kind = kind, .base = 2};
    c.options.strategy = strategy;
    c.options.refiner = {.channels = 3, .kernels = {5, 3}, .dropout = 0.2};
    c.options.crf.kind = tensor::GaussianKind::exact;
    return c;
  };
  std::vector<ModelCheck> all{check("unet + refiner", BackboneKind::unet, Strategy::cris),
                              check("unet++ + refiner", BackboneKind::unet_plus_plus, Strategy::cris),
                              check("segnet + refiner", BackboneKind::segnet, Strategy::cris),
                              check("unet++ with deep supervision", BackboneKind::unet_plus_plus, Strategy::backbone),
                              check("unet + crf", BackboneKind::unet, Strategy::crf)};
  all[3].options.backbone.deep_supervision = true;
  // The exact filter visits every pair of pixels; the CRF treats its guide image as data.
  all[4].size = 16;
  return all;
}

ModelGradientError gradcheck_model(const ModelCheck& check, uint64_t seed) {
  Probe probe(check, seed);
  probe.backward();
  ModelGradientError worst;
  auto variables = probe.variables();
  std::vector<std::vector<double>> gradients;
  for (const auto& v : variables) {
    tensor::check(v.value->grad().defined(), "gradcheck: {} got no gradient", v.name);
    gradients.push_back(v.value->grad().to_vector());
  }
  if (check.options.strategy == Strategy::crf) variables.pop_back();
  for (size_t i = 0; i < variables.size(); ++i) {
    const std::vector<double>& g = gradients[i];
    const double length = norm(g);
    std::vector<double> along = g, random(g.size());
    for (size_t j = 0; j < random.size(); ++j)
      random[j] = 2 * tensor::uniform({seed, kDirection + uint32_t(i), 0}, j) - 1;
    for (auto* direction : {&along, &random}) {
      const double scale = norm(*direction);
      if (scale == 0) continue;
      double analytic = 0;
      for (size_t j = 0; j < g.size(); ++j) {
        (*direction)[j] /= scale;
        analytic += (*direction)[j] * g[j];
      }
      const auto error = [&](double numeric) { return std::abs(numeric - analytic) / std::max(length, 1e-3); };
      double best = INFINITY, coarse = NAN;
      for (const double h : {1e-5, 1e-5 / kRefine, 1e-5 / (kRefine * kRefine)}) {
        const double fine = probe.slope(*variables[i].value, *direction, h);
        best = std::min(best, error(fine));
        if (const double limit = fine + (fine - coarse) / (kRefine * kRefine - 1); std::isfinite(limit))
          best = std::min(best, error(limit));
        coarse = fine;
      }
      if (!(best <= worst.error)) worst = {best, variables[i].name, worst.parameters};
    }
    ++worst.parameters;
  }
  return worst;
}

}  // namespace cris
