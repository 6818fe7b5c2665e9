/// Equations 1 to 3 of the paper, and the losses of the other three strategies.
#include "cris/strategy.h"

namespace cris {

namespace {

/// In the order of OutputLoss.
constexpr Loss kOutputLosses[] = {Loss::output_bce, Loss::output_mse, Loss::output_dice, Loss::output_bce_dice};

}  // namespace

int turns(Strategy strategy, const CrisOptions& options) {
  return mixed(strategy, options) && options.alternate == Alternate::both ? 2 : 1;
}

bool mixed(Strategy strategy, const CrisOptions& options) {
  return strategy == Strategy::cris && !options.weighted_sum && options.alternate != Alternate::epoch;
}

Loss loss_of(Strategy strategy, const CrisOptions& options, const StepPosition& at) {
  if (strategy != Strategy::cris) return kOutputLosses[size_t(options.output_loss)];
  if (options.weighted_sum) return Loss::weighted_sum;
  const int64_t counts[] = {at.epoch, at.batch, at.number, at.turn};  // in the order of Alternate
  const bool first = counts[size_t(options.alternate)] % 2 == 0;      // equation 3
  return first == (options.first == FirstLoss::mse) ? Loss::mask_mse : Loss::output_bce;
}

autograd::Variable loss_value(Loss loss, const CrisOptions& options, const autograd::Variable& mask_logits,
                              const autograd::Variable& output_logits, const tensor::Tensor& target) {
  using namespace autograd;
  if (loss == Loss::mask_mse) return mse_loss(sigmoid(mask_logits), target);  // equation 1
  if (loss == Loss::output_mse) return mse_loss(sigmoid(output_logits), target);
  if (loss == Loss::output_dice) return soft_dice_loss(sigmoid(output_logits), target);
  const Variable bce = binary_cross_entropy_with_logits(output_logits, target);  // equation 2
  if (loss == Loss::output_bce) return bce;
  if (loss == Loss::output_bce_dice) return add(bce, soft_dice_loss(sigmoid(output_logits), target));
  const Variable mse = mse_loss(sigmoid(mask_logits), target);
  return add(affine(mse, options.mse_weight, 0), affine(bce, 1 - options.mse_weight, 0));
}

}  // namespace cris
