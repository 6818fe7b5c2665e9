/// The four columns of the paper's tables: what a strategy adds to a backbone, and which loss an epoch trains.
#pragma once
#include <cstdint>

#include "autograd/ops.h"

namespace cris {

using tensor::name;

/// backbone: the network alone. fcn: a refiner on its probabilities. crf: a mean field on its logits. cris: as fcn,
/// trained by two losses in turn.
enum class Strategy { backbone, fcn, crf, cris };
constexpr auto names(Strategy) { return tensor::Names{"strategy", {"backbone", "fcn", "crf", "cris"}}; }

/// When strategy cris changes its loss: every epoch; every batch, each epoch beginning with the first; every step of
/// the run; or never: a step of each loss for every batch.
enum class Alternate { epoch, batch, step, both };
constexpr auto names(Alternate) { return tensor::Names{"alternation", {"epoch", "batch", "step", "both"}}; }

/// Which of strategy cris's losses comes first: L1, the MSE of the mask, or L2, the BCE of the output.
enum class FirstLoss { mse, bce };
constexpr auto names(FirstLoss) { return tensor::Names{"first loss", {"mse", "bce"}}; }

/// What the other strategies train their output by.
enum class OutputLoss { bce, mse, dice, bce_dice };
constexpr auto names(OutputLoss) { return tensor::Names{"loss", {"bce", "mse", "dice", "bce+dice"}}; }

/// Which output of the model a step takes its loss of, and which loss.
enum class Loss { mask_mse, output_bce, weighted_sum, output_mse, output_dice, output_bce_dice };
constexpr auto names(Loss) {
  return tensor::Names{"loss",
                       {"mse of the mask", "bce of the output", "weighted sum", "mse of the output",
                        "dice loss of the output", "bce and dice loss of the output"}};
}

/// How a strategy trains. All but output_loss is cris's own.
struct CrisOptions {
  Alternate alternate = Alternate::epoch;
  FirstLoss first = FirstLoss::mse;
  OutputLoss output_loss = OutputLoss::bce;  ///< of backbone, fcn and crf
  bool zero_gradients = false;               ///< steps of L1 move the refiner by its momentum, as by a gradient of 0
  bool detach_refiner_input = false;         ///< the refined output's gradient stops at the refiner
  bool weighted_sum = false;                 ///< both losses at once: mse_weight L1 + (1 - mse_weight) L2
  double mse_weight = 0.5;
};

/// Where a run is; all counts begin with 0.
struct StepPosition {
  int64_t epoch = 0, batch = 0;  ///< batch: in the epoch
  uint32_t number = 0;           ///< of the batch in the whole run: which of its random numbers dropout uses
  int turn = 0;                  ///< of this batch's steps
};
/// Steps that each batch takes: 2 for Alternate::both, else 1.
int turns(Strategy strategy, const CrisOptions& options);
/// Whether an epoch trains more than one loss.
bool mixed(Strategy strategy, const CrisOptions& options);
/// The loss of a step: for cris L1 = MSE of the backbone's mask and L2 = BCE of the refined output in turn, as
/// options.alternate counts.  Source: CRIS (arXiv 2405.19672), section 3.
Loss loss_of(Strategy strategy, const CrisOptions& options, const StepPosition& at);

/// The value of `loss`, [1]. `mask_logits`: the backbone's [N,H,W,1]; `output_logits`: the final ones (the same for
/// backbone); target: [N,H,W,1] of 0 and 1. BCE is taken from logits.
autograd::Variable loss_value(Loss loss, const CrisOptions& options, const autograd::Variable& mask_logits,
                              const autograd::Variable& output_logits, const tensor::Tensor& target);

}  // namespace cris
