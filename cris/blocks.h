/// What the backbones are built from: convolution, batch norm and ReLU, once and twice.
#pragma once
#include <optional>

#include "cris/backbone.h"
#include "nn/fold.h"

namespace cris {

using autograd::Variable;
using tensor::Parts;
using tensor::Tensor;

/// y = relu(norm(conv(x))), 3x3, padding 1, no bias; without a norm a bias stands in its place. x: [N,H,W,in], whole or
/// in parts -> y: [N,H,W,out].
class ConvNorm : public nn::Module {
 public:
  ConvNorm(int64_t in, int64_t out, NormKind norm = NormKind::batch);
  /// Takes x: its memory is free as soon as nothing needs it.
  Variable operator()(Parts<Variable> x);
  void visit(nn::Visitor& v) override { visit(v, ""); }
  /// Its fields are called conv and norm, with `number` behind.
  void visit(nn::Visitor& v, const std::string& number);
  void set_folded(bool on) override;

 private:
  nn::Conv2d conv_;
  std::optional<nn::BatchNorm2d> norm_;
  nn::FoldedConv folded_;
};

/// Two such blocks, whose fields are called conv1, norm1, conv2, norm2. x: [N,H,W,in], whole or in parts -> y:
/// [N,H,W,out].
class DoubleConv : public nn::Module {
 public:
  DoubleConv(int64_t in, int64_t out, NormKind norm = NormKind::batch)
      : first_(in, out, norm), second_(out, out, norm) {}
  Variable operator()(Parts<Variable> x) { return second_(first_(std::move(x))); }
  void visit(nn::Visitor& v) override;
  void set_folded(bool on) override;

 private:
  ConvNorm first_, second_;
};

}  // namespace cris
