/// The refiner.
#include "cris/refiner.h"

#include <functional>

namespace cris {

namespace {

const RefinerOptions& checked(const RefinerOptions& o) {
  tensor::check(o.channels > 0, "refiner: {} channels; at least 1 is needed", o.channels);
  tensor::check(!o.kernels.empty(), "refiner: no kernels; at least one is needed, for the output");
  for (const int64_t k : o.kernels)
    tensor::check(k > 0 && k % 2 == 1, "refiner: kernel {}: kernels must be odd, so that maps keep their size", k);
  return o;
}

nn::ConvLayerOptions same_size(int64_t in, int64_t out, int64_t kernel) {
  return {.in = in, .out = out, .kernel = kernel, .padding = kernel / 2, .activation = tensor::Activation::relu};
}

/// Adds `value` to the middle tap of the weight, from every channel c to every k that `chosen` says.
template <class Chosen>
void add_at_centre(nn::Conv2d& layer, double value, Chosen chosen) {
  const tensor::Tensor& now = layer.weight.value();
  const tensor::Shape s = now.shape();
  std::vector<double> weight = now.to_vector();
  for (int64_t k = 0; k < s[0]; ++k)
    for (int64_t c = 0; c < s[3]; ++c)
      if (chosen(k, c)) weight[size_t(((k * s[1] + s[1] / 2) * s[2] + s[2] / 2) * s[3] + c)] += value;
  layer.weight.set_value(tensor::cast(tensor::Tensor::from(weight, s, now.device()), now.dtype()));
}

}  // namespace

Refiner::Refiner(const RefinerOptions& o)
    : expand_(same_size(1, checked(o).channels, 1)),
      head_({.in = o.channels,
             .out = 1,
             .kernel = o.kernels.back(),
             .padding = o.kernels.back() / 2,
             .before_relu = false}) {
  for (size_t i = 0; i < o.kernels.size(); ++i) dropout_.emplace_back(o.dropout);
  for (size_t i = 0; i + 1 < o.kernels.size(); ++i) conv_.emplace_back(same_size(o.channels, o.channels, o.kernels[i]));
}

Variable Refiner::operator()(Variable x) const {
  x = expand_(x);
  x = dropout_[0](x);
  for (size_t i = 0; i < conv_.size(); ++i) {
    x = conv_[i](x);
    x = dropout_[i + 1](x);
  }
  return head_(x);
}

void Refiner::visit(nn::Visitor& v) {
  v.module("expand", expand_);
  for (size_t i = 0; i < conv_.size(); ++i) v.module(fmt::format("conv.{}", i), conv_[i]);
  for (size_t i = 0; i < dropout_.size(); ++i) v.module(fmt::format("dropout.{}", i), dropout_[i]);
  v.module("head", head_);
}

void Refiner::initialize(const nn::Initializer& /*init*/, const std::string& /*path*/) {
  const auto all = [](int64_t, int64_t) { return true; };
  add_at_centre(expand_, 1, all);
  for (nn::Conv2d& c : conv_) add_at_centre(c, 1, std::equal_to<int64_t>());
  constexpr double kLogit = 2;
  add_at_centre(head_, 2 * kLogit / double(head_.options.in), all);
  const tensor::Tensor& bias = head_.bias.value();
  head_.bias.set_value(tensor::full_like(bias, bias.item() - kLogit));
}

}  // namespace cris
