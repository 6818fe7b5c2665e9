/// Convolution, batch norm and ReLU, twice: the unit that all three backbones repeat.
#include "cris/blocks.h"

namespace cris {

namespace {

nn::ConvLayerOptions conv3x3(int64_t in, int64_t out) {
  return {.in = in, .out = out, .kernel = 3, .padding = 1, .bias = false};
}

nn::ConvLayerOptions conv3x3_relu(int64_t in, int64_t out) {
  return {.in = in, .out = out, .kernel = 3, .padding = 1, .activation = tensor::Activation::relu};
}

nn::BatchNormLayerOptions norm_relu(int64_t channels) {
  return {.channels = channels, .activation = tensor::Activation::relu};
}

}  // namespace

ConvNorm::ConvNorm(int64_t in, int64_t out) : conv_(conv3x3(in, out)), norm_(norm_relu(out)) {}

Variable ConvNorm::operator()(Variable x) { return nn::conv_norm(conv_, norm_, folded_, std::move(x)); }

void ConvNorm::visit(nn::Visitor& v) {
  v.module("conv", conv_);
  v.module("norm", norm_);
}

void ConvNorm::set_folded(bool on) { folded_ = on ? nn::fold(conv_, norm_) : nn::FoldedConv{}; }

DoubleConv::DoubleConv(int64_t in, int64_t out, NormKind norm)
    : conv1_(norm == NormKind::batch ? conv3x3(in, out) : conv3x3_relu(in, out)),
      conv2_(norm == NormKind::batch ? conv3x3(out, out) : conv3x3_relu(out, out)) {
  if (norm == NormKind::none) return;
  norm1_.emplace(norm_relu(out));
  norm2_.emplace(norm_relu(out));
}

Variable DoubleConv::operator()(Parts<Variable> x) {
  if (!norm1_) return conv2_(conv1_(x));
  Variable y = nn::conv_norm(conv1_, *norm1_, folded1_, std::move(x));
  return nn::conv_norm(conv2_, *norm2_, folded2_, std::move(y));
}

void DoubleConv::visit(nn::Visitor& v) {
  v.module("conv1", conv1_);
  if (norm1_) v.module("norm1", *norm1_);
  v.module("conv2", conv2_);
  if (norm2_) v.module("norm2", *norm2_);
}

void DoubleConv::set_folded(bool on) {
  if (!norm1_) return;
  folded1_ = on ? nn::fold(conv1_, *norm1_) : nn::FoldedConv{};
  folded2_ = on ? nn::fold(conv2_, *norm2_) : nn::FoldedConv{};
}

}  // namespace cris
