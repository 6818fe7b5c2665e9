/// Strategy crf: filters made or found for each image, then the mean field.
#include "cris/crf.h"

#include <cmath>
#include <numeric>
#include <vector>

#include "nn/hash.h"

namespace cris {

using autograd::Variable;
using tensor::check;
using tensor::Device;
using tensor::Tensor;

namespace {

Variable scaled_identity(int64_t labels, double scale, tensor::DType dtype, Device device) {
  std::vector<double> values(labels * labels, 0.0);
  for (int64_t i = 0; i < labels; ++i) values[i * labels + i] = scale;
  return Variable(tensor::cast(Tensor::from(values, {labels, labels}, device), dtype), true);
}

/// Size, dtype and device of an image.
std::string kind_of(const Tensor& image) {
  return fmt::format("{} {} {} {}", image.shape()[1], image.shape()[2], name(image.dtype()), name(image.device()));
}

/// A number for each image of the batch, of its content and kind.
std::vector<uint64_t> filter_keys(const Tensor& image) {
  std::vector<uint64_t> y(image.shape()[0]);
  if (image.device() == Device::plan) {
    std::iota(y.begin(), y.end(), 0);
    return y;
  }
  const Tensor host = image.device() == Device::cuda ? image.to(Device::cpu) : image;
  const uint64_t kind = nn::hash64(kind_of(image));
  const size_t bytes = size_t(image.bytes()) / y.size();
  for (size_t n = 0; n < y.size(); ++n)
    y[n] = nn::hash64({static_cast<const char*>(host.raw()) + n * bytes, bytes}, kind);
  return y;
}

}  // namespace

Crf::Crf(const CrfOptions& o) : options(o) {
  check(std::isfinite(o.theta_alpha) && o.theta_alpha >= 0,
        "crf: theta_alpha = {} must be positive, or 0 to follow the image", o.theta_alpha);
  check(std::isfinite(o.theta_beta) && o.theta_beta > 0, "crf: theta_beta = {} must be positive", o.theta_beta);
  check(std::isfinite(o.theta_gamma) && o.theta_gamma > 0, "crf: theta_gamma = {} must be positive", o.theta_gamma);
  check(o.training_iterations >= 1 && o.evaluation_iterations >= 1, "crf: {} and {} iterations; at least 1 is needed",
        o.training_iterations, o.evaluation_iterations);
  check(o.labels >= 2, "crf: {} labels; a mask has 2", o.labels);
  for (const double weight : {o.spatial_weight, o.bilateral_weight})
    check(std::isfinite(weight) && weight >= 0, "crf: initial weight {} must not be negative", weight);
  spatial_weight = scaled_identity(o.labels, o.spatial_weight, tensor::DType::f32, Device::cpu);
  bilateral_weight = scaled_identity(o.labels, o.bilateral_weight, tensor::DType::f32, Device::cpu);
  compatibility = scaled_identity(o.labels, -1, tensor::DType::f32, Device::cpu);
}

void Crf::visit(nn::Visitor& v) {
  v.parameter("spatial_weight", spatial_weight);
  v.parameter("bilateral_weight", bilateral_weight);
  v.parameter("compatibility", compatibility);
}

void Crf::initialize(const nn::Initializer&, const std::string&) {
  const auto reset = [&](Variable& w, double scale) {
    w.set_value(scaled_identity(options.labels, scale, w.value().dtype(), w.value().device()).value());
  };
  reset(spatial_weight, options.spatial_weight);
  reset(bilateral_weight, options.bilateral_weight);
  reset(compatibility, -1);
}

Crf::Filter Crf::spatial_filter(const Tensor& image) {
  if (const std::string key = kind_of(image); key != spatial_key_) {
    spatial_ = std::make_shared<tensor::GaussianFilter>(
        options.kind, options.normalisation,
        tensor::spatial_features(image.shape()[1], image.shape()[2], options.theta_gamma, image.dtype(),
                                 image.device()));
    spatial_key_ = key;
  }
  return spatial_;
}

autograd::Filters Crf::bilateral_filters(const Tensor& image) {
  const double theta_alpha = options.theta_alpha > 0 ? options.theta_alpha : 160.0 * double(image.shape()[2]) / 500.0;
  const std::vector<uint64_t> keys = options.cache_bytes > 0 ? filter_keys(image) : std::vector<uint64_t>();
  autograd::Filters y(image.shape()[0]);
  std::vector<size_t> missing;
  for (size_t n = 0; n < y.size(); ++n) {
    const auto kept = keys.empty() ? kept_.end() : kept_.find(keys[n]);
    if (kept != kept_.end())
      y[n] = kept->second;
    else
      missing.push_back(n);
  }
  if (missing.empty()) return y;
  const Tensor colours = tensor::map(tensor::Affine{255, 0}, image);
  std::vector<Tensor> features;
  for (const size_t n : missing)
    features.push_back(tensor::bilateral_features(colours, int64_t(n), theta_alpha, options.theta_beta));
  const tensor::GaussianFilters built = tensor::build_each(options.kind, options.normalisation, features);
  for (size_t i = 0; i < missing.size(); ++i) {
    const Filter& filter = y[missing[i]] = built[i];
    if (kept_bytes_ + filter->bytes() <= options.cache_bytes && kept_.emplace(keys[missing[i]], filter).second)
      kept_bytes_ += filter->bytes();
  }
  return y;
}

Variable Crf::operator()(const Variable& logits, const Tensor& image) {
  return after(training() ? options.training_iterations : options.evaluation_iterations, logits, image);
}

Variable Crf::after(int iterations, const Variable& logits, const Tensor& image) {
  const tensor::Shape &z = logits.shape(), &s = image.shape();
  check(z.rank() == 4 && (z[3] == options.labels || (z[3] == 1 && options.labels == 2)),
        "crf: logits {} must be [N, H, W, {}]", z, options.labels == 2 ? "1 or 2" : std::to_string(options.labels));
  check(s.rank() == 4 && s[3] == 3 && s[0] == z[0] && s[1] == z[1] && s[2] == z[2],
        "crf: image {} must be [{}, {}, {}, 3], as the logits {}", s, z[0], z[1], z[2], z);
  const Tensor guide = tensor::cast(image.to(logits.value().device()), logits.value().dtype());
  const autograd::Filters spatial(s[0], spatial_filter(guide));
  return autograd::mean_field(logits, spatial, bilateral_filters(guide), spatial_weight, bilateral_weight,
                              compatibility, iterations);
}

}  // namespace cris
