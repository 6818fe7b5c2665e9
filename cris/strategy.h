/// The four columns of the paper's tables: what a strategy adds to a backbone, and which loss an epoch trains.
#pragma once
#include <cstdint>
#include <string>

#include "autograd/ops.h"

namespace cris {

using tensor::name;

/// backbone: the network alone. fcn: a refiner on its probabilities. crf: a mean field on its logits. cris: as fcn,
/// trained by two losses in turn.
enum class Strategy { backbone, fcn, crf, cris };
constexpr auto names(Strategy) { return tensor::Names{"strategy", {"backbone", "fcn", "crf", "cris"}}; }

/// When strategy cris changes its loss.
enum class Alternate { epoch, batch };
constexpr auto names(Alternate) { return tensor::Names{"alternation", {"epoch", "batch"}}; }

/// What of the model a step computes a loss from.
enum class Loss { mask_mse, output_bce, weighted_sum };
constexpr auto names(Loss) { return tensor::Names{"loss", {"mse of the mask", "bce of the output", "weighted sum"}}; }

/// How strategy cris trains; the other strategies ignore it.
struct CrisOptions {
  Alternate alternate = Alternate::epoch;
  bool detach_refiner_input = false;  ///< the refined output's gradient stops at the refiner
  bool weighted_sum = false;          ///< both losses at once: mse_weight L1 + (1 - mse_weight) L2
  double mse_weight = 0.5;
};

/// The loss of step `batch` (from 0) of epoch `epoch` (from 0): for cris L1 = MSE of the backbone's mask when the count
/// is even, L2 = BCE of the refined output when it is odd.  Source: CRIS (arXiv 2405.19672), section 3.
Loss loss_of(Strategy strategy, const CrisOptions& options, int64_t epoch, int64_t batch);

/// The value of `loss`, [1]. `mask_logits`: the backbone's [N,H,W,1]; `output_logits`: the final ones (the same for
/// backbone); target: [N,H,W,1] of 0 and 1. BCE is taken from logits.
autograd::Variable loss_value(Loss loss, const CrisOptions& options, const autograd::Variable& mask_logits,
                              const autograd::Variable& output_logits, const tensor::Tensor& target);

}  // namespace cris
