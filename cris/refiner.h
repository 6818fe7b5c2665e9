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
  /// Adds the identity to what its layers drew: ones to expand, a one to the centre tap from each channel to itself,
  /// and a head that reads the channels' mean m as logits 4 m - 2. The refiner so begins as a soft copy of its mask.
  ///
  /// Without it the draw alone decides whether its output rises or falls with the mask. Where it falls, strategy cris
  /// teaches the backbone one mask in the epochs of L1 and its inverse in those of L2, and neither is learnt.
  void initialize(const nn::Initializer& init, const std::string& path) override;

 private:
  nn::Conv2d expand_;
  std::deque<nn::Conv2d> conv_;
  std::deque<nn::Dropout> dropout_;
  nn::Conv2d head_;
};

}  // namespace cris
