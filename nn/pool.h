/// Max pooling that remembers where its maxima were, and its inverse.
#pragma once
#include "nn/module.h"

namespace nn {

/// Largest value of each kernel x kernel window. x: [N,H,W,C] -> y: [N,P,Q,C] with the place of each maximum.
class MaxPool2d : public Module {
 public:
  explicit MaxPool2d(int64_t kernel = 2, int64_t stride = 2) : kernel_(kernel), stride_(stride) {}
  autograd::Pooled operator()(const Variable& x) const { return autograd::max_pool2d(x, kernel_, stride_); }
  void visit(Visitor&) override {}

 private:
  int64_t kernel_, stride_;
};

/// Puts each value back where `pooled` found its maximum, zero elsewhere. x: [N,P,Q,C] -> [N,H,W,C].
class MaxUnpool2d : public Module {
 public:
  Variable operator()(const Variable& x, const autograd::Pooled& pooled) const {
    return autograd::max_unpool2d(x, pooled);
  }
  void visit(Visitor&) override {}
};

}  // namespace nn
