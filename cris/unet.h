/// U-Net: an encoder of five stages, a decoder that joins each stage's features again on the way up.
#pragma once
#include <deque>

#include "cris/backbone.h"
#include "cris/blocks.h"

namespace cris {

/// One decoder stage: block([skip, up(x)]), up a 2x2 transposed convolution of stride 2.
class UpBlock : public nn::Module {
 public:
  UpBlock(int64_t in, int64_t out, NormKind norm);
  /// skip: [N,2H,2W,out], x: [N,H,W,in] -> [N,2H,2W,out].
  Variable operator()(Variable skip, Variable x);
  void visit(nn::Visitor& v) override;

 private:
  nn::ConvTranspose2d up_;
  DoubleConv block_;
};

/// Widths b, 2b, 4b, 8b, 16b; max-pools 2x2 between; head 1x1.  Source: Ronneberger et al. 2015, with padding, and
/// with batch norm unless options.norm is none.
class UNet : public Backbone {
 public:
  explicit UNet(const BackboneOptions& options);
  std::vector<Variable> operator()(Variable image) override;
  void visit(nn::Visitor& v) override;

 private:
  static constexpr int kStages = 5;
  int64_t in_channels_;
  std::deque<DoubleConv> encoder_;
  std::deque<UpBlock> decoder_;
  nn::Conv2d head_;
};

}  // namespace cris
