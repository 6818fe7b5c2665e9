/// Nodes are computed column by column: node (i, j) needs all of its row before it and one of the row below.
#include "cris/unet_plus_plus.h"

namespace cris {

using tensor::ResizeMode;

UNetPlusPlus::UNetPlusPlus(const BackboneOptions& o)
    : in_channels_(o.in_channels), head_({.in = o.base, .out = o.outputs, .kernel = 1, .before_relu = false}) {
  for (int j = 0; j < kDepth; ++j)
    for (int i = 0; i + j < kDepth; ++i) {
      const int64_t above = i == 0 ? o.in_channels : o.base << (i - 1);
      const int64_t width = o.base << i, below = 2 * width;
      const bool transposed = o.up == UpKind::transposed;
      const int64_t in = j == 0 ? above : j * width + (transposed ? width : below);
      if (j > 0 && transposed)
        up_.try_emplace(
            {j, i}, nn::ConvLayerOptions{.in = below, .out = width, .kernel = 2, .stride = 2, .before_relu = false});
      node_.try_emplace({j, i}, in, o.base << i);
    }
  if (o.deep_supervision)
    for (int j = 1; j + 1 < kDepth; ++j)
      side_head_.emplace_back(nn::ConvLayerOptions{.in = o.base, .out = o.outputs, .kernel = 1, .before_relu = false});
}

std::vector<Variable> UNetPlusPlus::operator()(Variable image) {
  check_image(BackboneKind::unet_plus_plus, image.shape(), in_channels_);
  std::vector<Variable> value[kDepth];  // value[i][j]: node i_j
  std::vector<Variable> logits;
  for (int j = 0; j < kDepth; ++j) {
    for (int i = 0; i + j < kDepth; ++i) {
      std::vector<Variable> parts = value[i];
      if (j > 0) {
        const Variable& below = value[i + 1][j - 1];
        parts.push_back(up_.empty() ? autograd::resize(below, 2 * below.shape()[1], 2 * below.shape()[2],
                                                       ResizeMode::bilinear_corners)
                                    : up_.at({j, i})(below));
      } else {
        parts.push_back(i == 0 ? std::move(image) : autograd::max_pool2d(value[i - 1][0]).y);
      }
      value[i].push_back(node_.at({j, i})(Parts(std::move(parts))));
    }
    // Row kDepth - 1 - j ends here; only its last node is read again, by the row above in the next column.
    std::vector<Variable>& ended = value[kDepth - 1 - j];
    for (int k = 0; k < j; ++k) ended[k] = {};
    if (j > 0) value[kDepth - j].clear();
    if (training() && j > 0 && j <= int(side_head_.size())) logits.push_back(side_head_[j - 1](value[0][j]));
  }
  logits.push_back(head_(value[0][kDepth - 1]));
  return logits;
}

void UNetPlusPlus::visit(nn::Visitor& v) {
  for (auto& [place, node] : node_) v.module(fmt::format("node.{}_{}", place.second, place.first), node);
  for (auto& [place, up] : up_) v.module(fmt::format("up.{}_{}", place.second, place.first), up);
  for (size_t j = 0; j < side_head_.size(); ++j) v.module(fmt::format("side_head.{}", j + 1), side_head_[j]);
  v.module("head", head_);
}

}  // namespace cris
