/// SegNet: the convolutions of VGG16, and their mirror image, which puts values back where the max-pools found them.
#pragma once
#include <deque>

#include "cris/backbone.h"
#include "cris/blocks.h"

namespace cris {

/// Encoder stages of 2, 2, 3, 3, 3 blocks, widths b, 2b, 4b, 8b, 8b, each followed by a 2x2 max-pool; decoder
/// stages 4..0 of 3, 3, 3, 2, 1 blocks, each after the max-unpool of its encoder stage, the last of stages 3, 2, 1
/// halving the width; head 3x3. Source: Badrinarayanan et al. 2017.
class SegNet : public Backbone {
 public:
  explicit SegNet(const BackboneOptions& options);
  std::vector<Variable> operator()(Variable image) override;
  void visit(nn::Visitor& v) override;

 private:
  static constexpr int kStages = 5;
  int64_t in_channels_;
  std::deque<ConvNorm> encoder_[kStages], decoder_[kStages];
  nn::Conv2d head_;
};

}  // namespace cris
