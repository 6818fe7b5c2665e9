/// One step of training: a loss, its gradients, the update of the weights. A device that can record kernels is given
/// each kind of step once in pieces, then recorded, and from then on as two launches, of the same kernels on the same
/// memory: the same bits.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "cris/model.h"
#include "nn/optimizer.h"
#include "tensor/machine/allocator.h"

namespace cris {

struct StepOptions {
  CrisOptions cris = {};
  uint64_t seed = 0;         ///< of dropout
  bool replay = true;        ///< record and replay, where the device can
  bool watch_finite = true;  ///< sum every gradient, so that outcome() can name one that is not finite
};

class TrainingStep {
 public:
  /// `model` is in training mode and on its device; both outlive the step.
  TrainingStep(Model& model, nn::Adam& optimizer, const StepOptions& options);

  /// The loss of a batch. Deep supervision's heads count alike: the mean over heads.
  Variable loss(Loss kind, const tensor::Tensor& x, const tensor::Tensor& mask);
  /// Computes a loss and its gradients, with random numbers of step `random_step`.
  void gradients(Loss kind, const tensor::Tensor& x, const tensor::Tensor& mask, uint32_t random_step);

  struct Outcome {
    double loss;
    std::string non_finite;  ///< the first parameter whose gradient, or its sum, is not finite; "" for none
  };
  /// Of the last gradients(), before update(). Waits for the device.
  Outcome outcome() const;
  /// Updates the weights by the last gradients(), which are then gone.
  void update(double learning_rate);

  /// Runs other work on the device (an evaluation) with the memory of recorded steps at its disposal. Gradients that
  /// were not used yet are gone.
  void meanwhile(const std::function<void()>& work);
  /// Whether the last step was a replay; and why steps are not recorded although they were to be, "" as long as they
  /// are.
  bool replayed() const { return replaying_ != nullptr; }
  const std::string& refusal() const { return refusal_; }

 private:
  struct Recorded {
    std::unique_ptr<tensor::Recording> gradients, update;
    std::vector<size_t> parameters;  // that it updates
    std::vector<int64_t> counted;    // what its forward pass adds to each of the model's counters
    tensor::Tensor results;
  };
  Model& model_;
  nn::Adam& optimizer_;
  StepOptions options_;
  tensor::Device device_;
  std::string refusal_;
  tensor::Tensor x_, mask_;  // where recorded steps read their batch
  tensor::StepNumbers numbers_;
  std::set<Loss> taken_;  // in pieces, with a batch of x_'s shape
  std::map<Loss, Recorded> recorded_;
  tensor::Footprint memory_;  // of all recorded steps
  Recorded* replaying_ = nullptr;
  std::vector<size_t> with_gradient_;
  tensor::Tensor results_;  // of the last gradients(): the loss, then the sums of the gradients

  tensor::Tensor compute(Loss kind, const tensor::Tensor& x, const tensor::Tensor& mask);
  /// Whether the batch is of the shape that steps are recorded for, the largest so far.
  bool is_usual(const tensor::Tensor& x, const tensor::Tensor& mask);
  void record(Loss kind);
  void replay(Recorded& r, const tensor::Tensor& x, const tensor::Tensor& mask, uint32_t random_step);
  /// Keeps the memory of recorded steps from others; where somebody has some of it, steps are to be recorded anew.
  void keep_memory();
  void forget();
};

}  // namespace cris
