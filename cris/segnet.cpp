/// Each pooling keeps where its maxima were, and the decoder puts values back there.
#include "cris/segnet.h"

namespace cris {

SegNet::SegNet(const BackboneOptions& o)
    : in_channels_(o.in_channels),
      head_({.in = o.base, .out = o.outputs, .kernel = 3, .padding = 1, .before_relu = false}) {
  const int64_t b = o.base;
  const int64_t width[kStages] = {b, 2 * b, 4 * b, 8 * b, 8 * b};
  const int encoder_blocks[kStages] = {2, 2, 3, 3, 3}, decoder_blocks[kStages] = {1, 2, 3, 3, 3};
  int64_t channels = o.in_channels;
  for (int s = 0; s < kStages; ++s)
    for (int k = 0; k < encoder_blocks[s]; ++k) {
      encoder_[s].emplace_back(channels, width[s]);
      channels = width[s];
    }
  for (int s = kStages - 1; s >= 0; --s)
    for (int k = 0; k < decoder_blocks[s]; ++k) {
      const bool last = k + 1 == decoder_blocks[s];
      const int64_t out = last && s > 0 ? width[s - 1] : width[s];
      decoder_[s].emplace_back(channels, out);
      channels = out;
    }
}

std::vector<Variable> SegNet::operator()(Variable image) {
  check_image(BackboneKind::segnet, image.shape(), in_channels_);
  Variable x = std::move(image);
  autograd::Pooled pooled[kStages];
  for (int s = 0; s < kStages; ++s) {
    for (ConvNorm& block : encoder_[s]) x = block(std::move(x));
    pooled[s] = autograd::max_pool2d(x);
    // Unpooling reads the places alone; the values go on.
    x = std::move(pooled[s].y);
  }
  for (int s = kStages - 1; s >= 0; --s) {
    x = autograd::max_unpool2d(x, pooled[s]);
    pooled[s] = {};
    for (ConvNorm& block : decoder_[s]) x = block(std::move(x));
  }
  return {head_(x)};
}

void SegNet::visit(nn::Visitor& v) {
  for (int s = 0; s < kStages; ++s)
    for (size_t k = 0; k < encoder_[s].size(); ++k) v.module(fmt::format("encoder.{}.{}", s, k), encoder_[s][k]);
  for (int s = 0; s < kStages; ++s)
    for (size_t k = 0; k < decoder_[s].size(); ++k) v.module(fmt::format("decoder.{}.{}", s, k), decoder_[s][k]);
  v.module("head", head_);
}

}  // namespace cris
