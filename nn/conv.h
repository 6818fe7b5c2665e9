/// Convolution layers.
#pragma once
#include "nn/init.h"
#include "nn/module.h"

namespace nn {

/// Options of both convolutions. kernel: height and width of the window, in pixels.
struct ConvLayerOptions {
  int64_t in, out, kernel = 3, stride = 1, padding = 0;
  bool bias = true;
  tensor::Activation activation = tensor::Activation::none;  ///< applied by the kernel itself; Conv2d only
  bool before_relu = true;  ///< for He initialisation: a ReLU follows (after a norm, maybe)
};

/// y = act(x * weight + bias). x: [N,H,W,in], whole or in parts, weight: [out,kernel,kernel,in], bias: [out], y:
/// [N,P,Q,out].
class Conv2d : public WeightedLayer {
 public:
  explicit Conv2d(const ConvLayerOptions& options);
  Variable operator()(const Parts<Variable>& x) const;
  void initialize(const Initializer& init, const std::string& path) override;

  const ConvLayerOptions options;
};

/// The transpose of Conv2d. x: [N,P,Q,in], weight: [in,kernel,kernel,out], bias: [out] ->
/// [N, (P-1) stride + kernel - 2 padding, ..., out].
class ConvTranspose2d : public WeightedLayer {
 public:
  explicit ConvTranspose2d(const ConvLayerOptions& options);
  Variable operator()(const Variable& x) const;
  void initialize(const Initializer& init, const std::string& path) override;

  const ConvLayerOptions options;
};

}  // namespace nn
