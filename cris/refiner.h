/// The refiner: a small convolutional network that reads a probability map and writes a better one.
#pragma once
#include <deque>

#include "nn/conv.h"
#include "nn/dropout.h"

namespace cris {

using autograd::Variable;

struct RefinerOptions {
  int64_t channels = 16;
  std::vector<int64_t> kernels = {7, 5,
                                  3};  ///< odd; all but the last are channels -> channels, the last gives the output
  double dropout = 0.01;
};

/// expand 1x1 1 -> C, ReLU, dropout; conv.i k x k C -> C, ReLU, dropout; head k x k C -> 1. Every map keeps the image's
/// size. Source: CRIS (arXiv 2405.19672), section 3; widths and kernels are this project's reading of it.
class Refiner : public nn::Module {
 public:
  explicit Refiner(const RefinerOptions& options = {});
  /// probability: [N,H,W,1] in [0, 1] -> logits [N,H,W,1].
  Variable operator()(Variable probability) const;
  void visit(nn::Visitor& v) override;

 private:
  nn::Conv2d expand_;
  std::deque<nn::Conv2d> conv_;
  std::deque<nn::Dropout> dropout_;
  nn::Conv2d head_;
};

}  // namespace cris
