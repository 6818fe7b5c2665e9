/// On the way down each stage's features are kept; on the way up they are joined to what comes from below.
#include "cris/unet.h"

namespace cris {

UpBlock::UpBlock(int64_t in, int64_t out, NormKind norm)
    : up_({.in = in, .out = out, .kernel = 2, .stride = 2, .before_relu = false}), block_(2 * out, out, norm) {}

Variable UpBlock::operator()(Variable skip, Variable x) {
  std::vector<Variable> parts{std::move(skip)};
  parts.push_back(up_(x));
  x = {};
  return block_(Parts(std::move(parts)));
}

void UpBlock::visit(nn::Visitor& v) {
  v.module("up", up_);
  v.module("block", block_);
}

UNet::UNet(const BackboneOptions& o)
    : in_channels_(o.in_channels), head_({.in = o.base, .out = o.outputs, .kernel = 1, .before_relu = false}) {
  for (int i = 0; i < kStages; ++i)
    encoder_.emplace_back(i == 0 ? o.in_channels : o.base << (i - 1), o.base << i, o.norm);
  for (int i = 0; i + 1 < kStages; ++i) decoder_.emplace_back(o.base << (i + 1), o.base << i, o.norm);
}

std::vector<Variable> UNet::operator()(Variable image) {
  check_image(BackboneKind::unet, image.shape(), in_channels_);
  std::vector<Variable> skips;
  Variable x = std::move(image);
  for (int i = 0; i < kStages; ++i) {
    x = encoder_[i](std::move(x));
    if (i + 1 == kStages) break;
    skips.push_back(x);
    x = autograd::max_pool2d(x).y;
  }
  for (int i = kStages - 2; i >= 0; --i) {
    Variable skip = std::move(skips.back());
    skips.pop_back();
    x = decoder_[i](std::move(skip), std::move(x));
  }
  return {head_(x)};
}

void UNet::visit(nn::Visitor& v) {
  for (int i = 0; i < kStages; ++i) v.module(fmt::format("encoder.{}", i), encoder_[i]);
  for (int i = 0; i + 1 < kStages; ++i) v.module(fmt::format("decoder.{}", i), decoder_[i]);
  v.module("head", head_);
}

}  // namespace cris
