/// The interface of the segmentation networks.
#pragma once
#include <string>
#include <vector>

#include "nn/module.h"

namespace cris {

using autograd::Variable;
using tensor::name;

enum class BackboneKind { unet, unet_plus_plus, segnet };
constexpr auto names(BackboneKind) { return tensor::Names{"backbone", {"unet", "unet++", "segnet"}}; }
/// Width of the first stage in the literature: 64, 32, 64.
int64_t default_base(BackboneKind kind);
/// Heights and widths of images must be multiples of this: 16, 16, 32.
int64_t size_multiple(BackboneKind kind);

/// What follows U-Net's 3x3 convolutions: batch norm, or nothing but their biases, as in the paper of 2015.
enum class NormKind { batch, none };
constexpr auto names(NormKind) { return tensor::Names{"norm", {"batch", "none"}}; }
/// How UNet++ doubles maps: bilinear, or transposed convolutions 2x2 of stride 2, as its authors' code does.
enum class UpKind { bilinear, transposed };
constexpr auto names(UpKind) { return tensor::Names{"upsampling", {"bilinear", "transposed"}}; }

struct BackboneOptions {
  BackboneKind kind = BackboneKind::unet;
  int64_t base = 0;  ///< channels of the first stage; 0: default_base(kind)
  int64_t in_channels = 3, outputs = 1;
  bool deep_supervision = false;    ///< unet++ only: heads on nodes 0_1, 0_2, 0_3 too
  NormKind norm = NormKind::batch;  ///< unet only
  UpKind up = UpKind::bilinear;     ///< unet++ only
};

class Backbone : public nn::Module {
 public:
  /// Logits of every head, the output's last. image: [N,H,W,in_channels], RGB / 255 -> each [N,H,W,outputs].
  /// Only deep supervision in training mode gives more than one. Throws when H or W is not a multiple of size_multiple.
  virtual std::vector<Variable> operator()(Variable image) = 0;
};

/// Throws unless `image` is [N,H,W,channels] and H and W are multiples of size_multiple(kind).
void check_image(BackboneKind kind, const tensor::Shape& image, int64_t channels);

}  // namespace cris
