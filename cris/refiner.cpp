/// The refiner.
#include "cris/refiner.h"

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

}  // namespace cris
