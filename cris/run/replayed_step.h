/// Training steps whose gradients a cuda device computes in one launch. The first step of each loss runs kernel by
/// kernel, the second is recorded, and later ones replay the recording. The kernels and their memory are the same, so
/// the results are bit-identical. Other devices take the plain step.
#pragma once
#include <map>
#include <memory>
#include <set>

#include "cris/training_step.h"
#include "tensor/cuda/recording.h"
#include "tensor/machine/allocator.h"

namespace cris {

class ReplayedStep {
 public:
  /// `model` is in training mode and on its device; both outlive the step. `replay`: record and replay where the device
  /// can.
  ReplayedStep(Model& model, nn::Optimizer& optimizer, const StepOptions& options, bool replay);

  /// training_step(). Where a recording is replayed, the host does `meanwhile` before it waits for the loss.
  double take(const StepPosition& at, const tensor::Tensor& x, const tensor::Tensor& mask, double learning_rate,
              const std::function<void()>& meanwhile = [] {});
  /// Runs other work on the device (an evaluation) with the memory of recorded steps at its disposal.
  void between_steps(const std::function<void()>& work);
  /// Whether the last step was a replay; and why steps are not recorded although they were to be, "" as long as they
  /// are.
  bool replayed() const { return replayed_; }
  const std::string& refusal() const { return refusal_; }

 private:
  struct Recorded {
    std::unique_ptr<tensor::cuda::Recording> work;
    std::vector<size_t> parameters;  // whose gradients it computes
    std::vector<int64_t> counted;    // what its forward pass adds to each of the model's counters
    tensor::Tensor watched;
  };
  Model& model_;
  nn::Optimizer& optimizer_;
  StepOptions options_;
  tensor::Device device_;
  bool replay_, replayed_ = false;
  std::string refusal_;
  tensor::Tensor x_, mask_, random_step_;  // what recorded steps read
  std::vector<tensor::Tensor> gradients_;  // where they leave the gradient of each parameter
  std::set<Loss> taken_;                   // kernel by kernel, with a batch of x_'s shape
  std::map<Loss, Recorded> recorded_;
  tensor::Footprint memory_;  // of all recorded steps

  /// Whether the batch is of the shape that steps are recorded for, the largest so far.
  bool is_usual(const tensor::Tensor& x, const tensor::Tensor& mask);
  void record(Loss kind);
  void replay(const Recorded& r, const tensor::Tensor& x, const tensor::Tensor& mask, uint32_t random_step);
  /// Keeps the memory of recorded steps from others; where somebody has some of it, steps are to be recorded anew.
  void keep_memory();
  void forget();
};

}  // namespace cris
