/// Losses of the four strategies.
#include "cris/strategy.h"

namespace cris {

Loss loss_of(Strategy strategy, const CrisOptions& options, int64_t epoch, int64_t batch) {
  if (strategy != Strategy::cris) return Loss::output_bce;
  if (options.weighted_sum) return Loss::weighted_sum;
  const int64_t turn = options.alternate == Alternate::epoch ? epoch : batch;
  return turn % 2 == 0 ? Loss::mask_mse : Loss::output_bce;  // equation 3
}

autograd::Variable loss_value(Loss loss, const CrisOptions& options, const autograd::Variable& mask_logits,
                              const autograd::Variable& output_logits, const tensor::Tensor& target) {
  using namespace autograd;
  if (loss == Loss::mask_mse) return mse_loss(sigmoid(mask_logits), target);     // equation 1
  const Variable bce = binary_cross_entropy_with_logits(output_logits, target);  // equation 2
  if (loss == Loss::output_bce) return bce;
  const Variable mse = mse_loss(sigmoid(mask_logits), target);
  return add(affine(mse, options.mse_weight, 0), affine(bce, 1 - options.mse_weight, 0));
}

}  // namespace cris
