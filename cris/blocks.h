/// What the backbones are built from: convolution, batch norm and ReLU, once and twice.
#pragma once
#include <optional>

#include "cris/backbone.h"
#include "nn/fold.h"

namespace cris {

using autograd::Variable;
using tensor::Parts;
using tensor::Tensor;

/// y = relu(norm(conv(x))), 3x3, padding 1, no bias. x: [N,H,W,in] -> y: [N,H,W,out].
class ConvNorm : public nn::Module {
 public:
  ConvNorm(int64_t in, int64_t out);
  /// Takes x: its memory is free as soon as nothing needs it.
  Variable operator()(Variable x);
  void visit(nn::Visitor& v) override;
  void set_folded(bool on) override;

 private:
  nn::Conv2d conv_;
  nn::BatchNorm2d norm_;
  nn::FoldedConv folded_;
};

/// Two such blocks, called conv1, norm1, conv2, norm2; without norms, biases stand in their place. x: [N,H,W,in], whole
/// or in parts -> y: [N,H,W,out].
class DoubleConv : public nn::Module {
 public:
  DoubleConv(int64_t in, int64_t out, NormKind norm = NormKind::batch);
  Variable operator()(Parts<Variable> x);
  void visit(nn::Visitor& v) override;
  void set_folded(bool on) override;

 private:
  nn::Conv2d conv1_;
  std::optional<nn::BatchNorm2d> norm1_;
  nn::Conv2d conv2_;
  std::optional<nn::BatchNorm2d> norm2_;
  nn::FoldedConv folded1_, folded2_;
};

}  // namespace cris
