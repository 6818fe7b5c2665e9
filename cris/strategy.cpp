/// Equations 1 to 3 of the paper, and the losses of the other three strategies.
#include "cris/strategy.h"

namespace cris {

namespace {

Loss output_loss(OutputLoss o) {
  switch (o) {
    case OutputLoss::bce:
      return Loss::output_bce;
    case OutputLoss::mse:
      return Loss::output_mse;
    case OutputLoss::dice:
      return Loss::output_dice;
    case OutputLoss::bce_dice:
      return Loss::output_bce_dice;
  }
  throw tensor::Error("output_loss: no such loss");
}

int64_t count(Alternate alternate, const StepPosition& at) {
  switch (alternate) {
    case Alternate::epoch:
      return at.epoch;
    case Alternate::batch:
      return at.batch;
    case Alternate::step:
      return at.number;
    case Alternate::both:
      return at.turn;
  }
  throw tensor::Error("loss_of: no such alternation");
}

}  // namespace

int turns(Strategy strategy, const CrisOptions& options) {
  return mixed(strategy, options) && options.alternate == Alternate::both ? 2 : 1;
}

bool mixed(Strategy strategy, const CrisOptions& options) {
  return strategy == Strategy::cris && !options.weighted_sum && options.alternate != Alternate::epoch;
}

Loss loss_of(Strategy strategy, const CrisOptions& options, const StepPosition& at) {
  if (strategy != Strategy::cris) return output_loss(options.output_loss);
  if (options.weighted_sum) return Loss::weighted_sum;
  const bool first = count(options.alternate, at) % 2 == 0;  // equation 3
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
