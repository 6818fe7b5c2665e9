/// One step of training: from a batch to its loss, to gradients, to better weights.
#pragma once
#include "cris/model.h"
#include "nn/optimizer.h"

namespace cris {

struct StepOptions {
  Strategy strategy = Strategy::cris;
  CrisOptions cris = {};
  uint64_t seed = 0;            ///< of dropout
  bool watch_gradients = true;  ///< look whether every gradient is finite
};

/// One step on images x [N,H,W,3] and masks [N,H,W,1] of 0 and 1; returns their loss. `model` is in training mode.
/// Throws NonFiniteError, before any weight changes, when the loss or a gradient is not finite.
double training_step(Model& model, nn::Optimizer& optimizer, const StepOptions& options, const StepPosition& at,
                     const tensor::Tensor& x, const tensor::Tensor& mask, double learning_rate);

// ---- what it is made of --------------------------------------------------------------------------------------------
/// The loss of a batch, [1]. Deep supervision's heads count alike: the mean over heads.
Variable batch_loss(Model& model, Loss kind, const CrisOptions& options, const tensor::Tensor& x,
                    const tensor::Tensor& mask);
/// Leaves the loss's gradient in every parameter that it depends on. Returns what there is to watch: the loss, then
/// for each gradient a number that is finite where all of it is (with watch_gradients).
tensor::Tensor compute_gradients(Model& model, Loss kind, const StepOptions& options, const tensor::Tensor& x,
                                 const tensor::Tensor& mask);
/// Updates the weights by their gradients, which are then gone, if all that was watched is finite. Returns the loss.
double update_weights(Model& model, nn::Optimizer& optimizer, const tensor::Tensor& watched, double learning_rate);

}  // namespace cris
