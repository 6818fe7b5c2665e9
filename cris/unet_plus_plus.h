/// UNet++: U-Nets of every depth nested in one another, their nodes densely joined.
#pragma once
#include <deque>
#include <map>

#include "cris/backbone.h"
#include "cris/blocks.h"

namespace cris {

/// Nodes i_j (row i: resolution 1/2^i, width b 2^i; column j; i + j <= 4): i_0 from the pooled (i-1)_0; i_j from
/// [i_0 .. i_(j-1), (i+1)_(j-1) doubled], bilinearly, or by up.i_j, a 2x2 transposed convolution to b 2^i channels.
/// head 1x1 on 0_4; with deep supervision side_head.j on 0_j, j = 1..3. Source: Zhou et al. 2018.
class UNetPlusPlus : public Backbone {
 public:
  explicit UNetPlusPlus(const BackboneOptions& options);
  std::vector<Variable> operator()(Variable image) override;
  void visit(nn::Visitor& v) override;

 private:
  static constexpr int kDepth = 5;
  int64_t in_channels_;
  std::map<std::pair<int, int>, DoubleConv> node_;         // by (column, row): the order in which they run
  std::map<std::pair<int, int>, nn::ConvTranspose2d> up_;  // by the node that reads it; empty: bilinear
  std::deque<nn::Conv2d> side_head_;
  nn::Conv2d head_;
};

}  // namespace cris
