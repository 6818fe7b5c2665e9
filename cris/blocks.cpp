/// Convolution, batch norm and ReLU, twice: the unit that all three backbones repeat.
#include "cris/blocks.h"

namespace cris {

ConvNorm::ConvNorm(int64_t in, int64_t out, NormKind norm)
    : conv_({.in = in,
             .out = out,
             .kernel = 3,
             .padding = 1,
             .bias = norm == NormKind::none,
             .activation = norm == NormKind::none ? tensor::Activation::relu : tensor::Activation::none}) {
  if (norm == NormKind::batch)
    norm_.emplace(nn::BatchNormLayerOptions{.channels = out, .activation = tensor::Activation::relu});
}

Variable ConvNorm::operator()(Parts<Variable> x) {
  return norm_ ? nn::conv_norm(conv_, *norm_, folded_, std::move(x)) : conv_(x);
}

void ConvNorm::visit(nn::Visitor& v, const std::string& number) {
  v.module("conv" + number, conv_);
  if (norm_) v.module("norm" + number, *norm_);
}

void ConvNorm::set_folded(bool on) { folded_ = on && norm_ ? nn::fold(conv_, *norm_) : nn::FoldedConv{}; }

void DoubleConv::visit(nn::Visitor& v) {
  first_.visit(v, "1");
  second_.visit(v, "2");
}

void DoubleConv::set_folded(bool on) {
  first_.set_folded(on);
  second_.set_folded(on);
}

}  // namespace cris
