/// Upsampling by a whole factor.
#pragma once
#include "nn/module.h"

namespace nn {

struct UpsampleOptions {
  int64_t factor = 2;
  tensor::ResizeMode mode = tensor::ResizeMode::bilinear_corners;
};

/// x: [N,H,W,C] -> [N, factor H, factor W, C].
class Upsample : public Module {
 public:
  explicit Upsample(const UpsampleOptions& options = {}) : options_(options) {
    tensor::check(options.factor > 0, "Upsample: factor {}; at least 1 is needed", options.factor);
  }
  Variable operator()(const Variable& x) const {
    tensor::check(x.shape().rank() == 4, "Upsample: needs an image [N,H,W,C], not {}", x.shape());
    return autograd::resize(x, x.shape()[1] * options_.factor, x.shape()[2] * options_.factor, options_.mode);
  }
  void visit(Visitor&) override {}

 private:
  UpsampleOptions options_;
};

}  // namespace nn
