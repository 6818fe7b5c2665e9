/// The parity cases of single ops: one evaluation each, and their table.
#include "cris/audit/parity_case.h"
#include "nn/optimizer.h"

namespace cris {

using autograd::Variable;
using tensor::require;
using tensor::Tensor;

namespace {

tensor::ConvOptions conv_options(ParityCase& c) {
  return {.stride = c.option<int64_t>("stride", 1), .padding = c.option<int64_t>("padding", 0)};
}

/// In f32 always: rounding to bf16 can make two values equal, and the place of the maximum is then ambiguous.
autograd::Pooled pool(ParityCase& c) {
  const auto kernel = c.option<int64_t>("kernel");
  return autograd::max_pool2d(c.input("x"), kernel, c.option<int64_t>("stride", kernel));
}

/// PyTorch counts a maximum's place over the whole image plane (y W + x), this project within its window.
nn::StoredTensor plane_indices(const autograd::Pooled& pooled) {
  const nn::StoredTensor places = nn::stored(pooled.index);
  const auto place = places.values();
  std::vector<int64_t> flat(place.size());
  const int64_t rows = places.extents[2], columns = places.extents[3], width = pooled.x_shape[2];
  for (size_t i = 0; i < flat.size(); ++i) {
    const int64_t p = int64_t(i) / columns % rows, q = int64_t(i) % columns, at = int64_t(place[i]);
    flat[i] = (p * pooled.stride + at / pooled.kernel) * width + q * pooled.stride + at % pooled.kernel;
  }
  return nn::stored(flat, places.extents);
}

void max_pool2d(ParityCase& c) {
  const autograd::Pooled pooled = pool(c);
  c.output("y", pooled.y);
  for (const char* name : {"output.index", "output.indices"})
    if (c.file().tensors.count(name)) c.computed(name, plane_indices(pooled));
}

void resize_bilinear(ParityCase& c) {
  const auto size = c.option<std::vector<int64_t>>("size");
  require(size.size() == 2, "option size has {} numbers; height and width are needed", size.size());
  const auto mode = c.option<bool>("align_corners", false) ? tensor::ResizeMode::bilinear_corners
                                                           : tensor::ResizeMode::bilinear_centers;
  c.output("y", autograd::resize(c.activation("x"), size[0], size[1], mode));
}

void resize_nearest(ParityCase& c) {
  const auto scale = c.option<double>("scale");
  require(scale > 0 && scale == double(int64_t(scale)), "option scale = {} is not supported; whole factors are", scale);
  const Variable x = c.activation("x");
  c.output("y", autograd::resize(x, x.shape()[1] * int64_t(scale), x.shape()[2] * int64_t(scale),
                                 tensor::ResizeMode::nearest));
}

void batch_norm(ParityCase& c) {
  const Tensor mean = c.tensor("running_mean"), variance = c.tensor("running_var");
  const autograd::BatchNormOptions options{.training = c.option<bool>("training"),
                                           .momentum = c.option<double>("momentum", 0.1),
                                           .epsilon = c.option<double>("epsilon", 1e-5)};
  c.output("y", autograd::batch_norm(c.activation("x"), c.input("weight"), c.input("bias"), mean, variance, options));
  c.computed("output.running_mean", mean);
  c.computed("output.running_var", variance);
}

void softmax(ParityCase& c) {
  c.require_option("axis", "channels");
  c.output("y", autograd::softmax(c.input("x")));
}

void concat(ParityCase& c) {
  c.require_option("axis", "channels");
  std::vector<Variable> parts;
  for (const auto& [name, tensor] : c.file().tensors)
    if (name.rfind("input.", 0) == 0) parts.push_back(c.activation(name.substr(6)));
  c.output("y", autograd::concat(parts));
}

void binary_cross_entropy(ParityCase& c) {
  const auto floor = c.option<double>("log_floor", -100.0);
  c.output("loss", autograd::binary_cross_entropy(c.input("x"), c.tensor("target"), floor));
}

void mean_field(ParityCase& c) {
  const auto kind = tensor::parse<tensor::GaussianKind>(c.option<std::string>("kernel", "exact"));
  const auto normalisation = tensor::parse<tensor::Normalisation>(c.option<std::string>("normalisation", "row"));
  const auto alpha = c.option<double>("theta_alpha"), beta = c.option<double>("theta_beta");
  const Tensor image = c.tensor("image");
  const tensor::Shape& s = image.shape();
  require(s.rank() == 4, "input.image {} must have 4 axes", s);
  const autograd::Filters spatial(
      size_t(s[0]), std::make_shared<tensor::GaussianFilter>(
                        kind, normalisation,
                        tensor::spatial_features(s[1], s[2], c.option<double>("theta_gamma"), c.dtype(), c.device())));
  autograd::Filters bilateral;
  for (int64_t n = 0; n < s[0]; ++n)
    bilateral.push_back(std::make_shared<tensor::GaussianFilter>(kind, normalisation,
                                                                 tensor::bilateral_features(image, n, alpha, beta)));
  c.output("y",
           autograd::mean_field(c.input("logits"), spatial, bilateral, c.input("spatial_weight"),
                                c.input("bilateral_weight"), c.input("compatibility"), c.option<int>("iterations")));
}

/// A module that is one parameter.
struct OneParameter : nn::Module {
  Variable w;
  void visit(nn::Visitor& v) override { v.parameter("w", w); }
};

/// Values in the file's order as a flat tensor: an update treats every element alike.
Tensor flat(const ParityCase& c, const double* values, size_t count) {
  const Tensor t = Tensor::from(std::vector<double>(values, values + count), {int64_t(count)}, c.device());
  return c.dtype() == tensor::DType::f64 ? t : tensor::cast(t, c.dtype());
}

void adam(ParityCase& c) {
  const auto betas = c.option<std::vector<double>>("betas", {0.9, 0.999});
  require(betas.size() == 2, "option betas has {} numbers; two are needed", betas.size());
  const auto start = c.stored("w").values(), gradients = c.stored("grads").values();
  require(!start.empty() && gradients.size() % start.size() == 0, "input.grads holds no whole number of steps");
  OneParameter module;
  module.w = Variable(flat(c, start.data(), start.size()), true);
  nn::Adam optimizer(module, {.beta1 = betas[0],
                              .beta2 = betas[1],
                              .epsilon = c.option<double>("epsilon", 1e-8),
                              .weight_decay = c.option<double>("weight_decay", 0.0)});
  const auto rate = c.option<double>("learning_rate");
  std::vector<double> weights;
  for (size_t at = 0; at < gradients.size(); at += start.size()) {
    module.w.node()->grad = flat(c, &gradients[at], start.size());
    optimizer.step(rate);
    const auto now = module.w.value().to_vector();
    weights.insert(weights.end(), now.begin(), now.end());
  }
  c.computed("output.w", nn::stored(weights, c.stored("grads").extents));
}

}  // namespace

const std::map<std::string, ParityOp>& parity_ops() {
  static const std::map<std::string, ParityOp> ops{
      {"adam", adam},
      {"batch_norm", batch_norm},
      {"binary_cross_entropy", binary_cross_entropy},
      {"binary_cross_entropy_with_logits",
       [](ParityCase& c) {
         c.output("loss", autograd::binary_cross_entropy_with_logits(c.input("x"), c.tensor("target")));
       }},
      {"concat", concat},
      {"conv2d",
       [](ParityCase& c) {
         c.output("y", autograd::conv2d(c.activation("x"), c.input("weight"), c.input("bias"), conv_options(c)));
       }},
      {"conv_transpose2d",
       [](ParityCase& c) {
         c.output("y",
                  autograd::conv_transpose2d(c.activation("x"), c.input("weight"), c.input("bias"), conv_options(c)));
       }},
      {"cross_entropy",
       [](ParityCase& c) {
         c.output("loss", autograd::cross_entropy(c.input("x"), tensor::cast(c.tensor("target"), tensor::DType::i32)));
       }},
      {"exp", [](ParityCase& c) { c.output("y", autograd::exp(c.input("x"))); }},
      {"linear",
       [](ParityCase& c) { c.output("y", autograd::linear(c.input("x"), c.input("weight"), c.input("bias"))); }},
      {"log", [](ParityCase& c) { c.output("y", autograd::log(c.input("x"))); }},
      {"max_pool2d", max_pool2d},
      {"mean_field", mean_field},
      {"model", evaluate_model},
      {"mse_loss", [](ParityCase& c) { c.output("loss", autograd::mse_loss(c.input("x"), c.tensor("target"))); }},
      {"pool_unpool", [](ParityCase& c) { c.output("y", autograd::max_unpool2d(c.input("z"), pool(c))); }},
      {"relu", [](ParityCase& c) { c.output("y", autograd::relu(c.activation("x"))); }},
      {"resize_bilinear", resize_bilinear},
      {"resize_nearest", resize_nearest},
      {"sigmoid", [](ParityCase& c) { c.output("y", autograd::sigmoid(c.input("x"))); }},
      {"softmax", softmax},
      {"tanh", [](ParityCase& c) { c.output("y", autograd::tanh(c.input("x"))); }},
  };
  return ops;
}

}  // namespace cris
