/// Chapter 6: the networks, and what their skips are for.
#include <fmt/format.h>

#include "cris/blocks.h"
#include "cris/model.h"
#include "data/synthetic.h"
#include "nn/init.h"
#include "nn/optimizer.h"
#include "nn/pool.h"

using namespace cris;
using tensor::Device;
using tensor::Tensor;

namespace {

/// A U-Net of two stages, whose skip can be cut.
struct TinyUNet : nn::Module {
  bool skip;
  DoubleConv down{3, 8}, middle{8, 16}, up;
  nn::Conv2d head{{.in = 8, .out = 1, .kernel = 1, .before_relu = false}};
  explicit TinyUNet(bool s) : skip(s), up(s ? 8 + 16 : 16, 8) {}
  Variable operator()(const Variable& image) {
    const Variable fine = down(image);                                   // [N, H, W, 8]
    const Variable coarse = middle(autograd::max_pool2d(fine, 8, 8).y);  // [N, H/8, W/8, 16]
    const Variable wide =
        autograd::resize(coarse, image.shape()[1], image.shape()[2], tensor::ResizeMode::bilinear_centers);
    return head(up(skip ? autograd::concat({fine, wide}) : wide));  // [N, H, W, 1]
  }
  void visit(nn::Visitor& v) override {
    v.module("down", down), v.module("middle", middle), v.module("up", up), v.module("head", head);
  }
};

double overfit(bool skip, const Tensor& x, const Tensor& mask) {
  TinyUNet network(skip);
  nn::initialize(network, 0);
  nn::Adam adam(network);
  double last = 0;
  for (int step = 0; step < 80; ++step) {
    const Variable loss = autograd::binary_cross_entropy_with_logits(network(Variable(x)), mask);
    last = loss.value().item();
    network.zero_grad();
    autograd::backward(loss);
    adam.step(0.01);
  }
  return last;
}

}  // namespace

int main() {
  for (const BackboneKind kind : tensor::values<BackboneKind>()) {
    const auto network = make_backbone({.kind = kind});
    fmt::print("{:<7} {:>11} parameters at width {}, images in multiples of {}\n", name(kind),
               network->parameter_count(), default_base(kind), size_multiple(kind));
  }
  Model model({.backbone = {.base = 8}, .strategy = Strategy::cris});
  fmt::print("\n{:<34} {}\n", "parameter of a narrow model", "shape");
  for (const auto& p : model.parameters())
    if (p.name.ends_with("weight") && (p.name.starts_with("backbone.decoder.0") || p.name.starts_with("refiner")))
      fmt::print("{:<34} {}\n", p.name, p.value->shape());

  constexpr int64_t kPictures = 8;
  std::vector<float> pixels(kPictures * 32 * 32 * 3), truth(kPictures * 32 * 32);
  for (int64_t i = 0; i < kPictures; ++i) {
    const data::Sample sample = data::synthesize(3, i, 32, 32);
    data::to_unit(sample.image, pixels.data() + i * 32 * 32 * 3);
    data::to_binary(sample.mask, truth.data() + i * 32 * 32);
  }
  const Tensor x = Tensor::from(pixels, {kPictures, 32, 32, 3}, Device::cpu);
  const Tensor mask = Tensor::from(truth, {kPictures, 32, 32, 1}, Device::cpu);
  fmt::print("\n8 pictures by heart, 80 steps: loss {:.3f} with the skip, {:.3f} without\n", overfit(true, x, mask),
             overfit(false, x, mask));
}
