/// The refiner: a small convolutional network that reads a probability map and writes a better one.
#pragma once
#include <deque>

#include "nn/conv.h"
#include "nn/dropout.h"

namespace cris {

using autograd::Variable;

/// Where a refiner begins. draw: as its layers drew, by nn::Initializer. identity: the draw plus a path of weight 1
/// from each channel to itself. copy: a soft copy of its mask that Adam's first steps bend rather than break.
enum class RefinerStart { copy, identity, draw };
constexpr auto names(RefinerStart) { return tensor::Names{"start of the refiner", {"copy", "identity", "draw"}}; }

struct RefinerOptions {
  int64_t channels = 16;
  std::vector<int64_t> kernels = {7, 5,
                                  3};  ///< odd; all but the last are channels -> channels, the last gives the output
  double dropout = 0.01;
  RefinerStart init = RefinerStart::copy;
};

/// expand 1x1 1 -> C, ReLU, dropout; conv.i k x k C -> C, ReLU, dropout; head k x k C -> 1. Every map keeps the image's
/// size. Source: CRIS (arXiv 2405.19672), section 3; widths and kernels are this project's reading of it.
class Refiner : public nn::Module {
 public:
  explicit Refiner(const RefinerOptions& options = {});
  /// probability: [N,H,W,1] in [0, 1] -> logits [N,H,W,1].
  Variable operator()(Variable probability) const;
  void visit(nn::Visitor& v) override;
  /// Turns what its layers drew into the start that options.init names.
  void initialize(const nn::Initializer& init, const std::string& path) override;
  /// What it makes of masks that are p everywhere, far from their borders: a probability for each p. Dropout is off,
  /// and then as it was.
  std::vector<double> response(const std::vector<double>& p);

  const RefinerOptions options;

 private:
  nn::Conv2d expand_;
  std::deque<nn::Conv2d> conv_;
  std::deque<nn::Dropout> dropout_;
  nn::Conv2d head_;

  void begin_as_identity();
  void begin_as_copy();
};

}  // namespace cris
