/// Optimisers. A parameter without a gradient is left alone: its weight, its moments and its own step counter.
#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "nn/module.h"

namespace nn {

/// What an optimiser remembers of one parameter.
struct ParameterState {
  std::vector<Tensor> moments;  ///< in the order of Optimizer::moment_names(), each of the parameter's shape
  int64_t step = 0;             ///< updates of this parameter so far
};

class Optimizer {
 public:
  /// The parameters of `module`, which must outlive the optimiser, and the names of its moments.
  Optimizer(Module& module, std::vector<std::string> moment_names)
      : parameters_(module.parameters()), moment_names_(std::move(moment_names)) {}
  virtual ~Optimizer() = default;
  /// Updates every parameter that has a gradient. Moments are 0 before the first update.
  void step(double learning_rate);
  /// Names of the moments: {"m", "v"} for Adam.
  const std::vector<std::string>& moment_names() const { return moment_names_; }
  /// By parameter name; a parameter that was never updated has no entry.
  const std::map<std::string, ParameterState>& state() const { return state_; }
  /// Replaces the whole state (a checkpoint). Throws, changing nothing, on unknown names or other shapes.
  void set_state(std::map<std::string, ParameterState> state);
  const std::vector<Named<Variable>>& parameters() const { return parameters_; }
  /// Multiplies the rate of every parameter whose name begins with `prefix`; set anew for the same prefix.
  void set_rate_factor(const std::string& prefix, double factor) { factors_[prefix] = factor; }
  /// true: a parameter that was updated before takes a step by a gradient of 0 where it has none, as in PyTorch below
  /// version 2, whose zero_grad() left zeros.
  void set_missing_as_zero(bool on) { missing_as_zero_ = on; }

 protected:
  /// A parameter's part in a step: `w` moves in place by gradient `g`; state->step already counts this update.
  struct Update {
    double learning_rate;
    Tensor g, w;
    const ParameterState* state;
  };
  virtual void update(const std::vector<Update>& updates) = 0;

 private:
  std::vector<Named<Variable>> parameters_;
  std::vector<std::string> moment_names_;
  std::map<std::string, ParameterState> state_;
  std::map<std::string, double> factors_;
  bool missing_as_zero_ = false;
};

enum class OptimizerKind { adam, sgd };
constexpr auto names(OptimizerKind) { return tensor::Names{"optimizer", {"adam", "sgd"}}; }

struct OptimizerOptions {
  OptimizerKind kind = OptimizerKind::adam;           ///< for make_optimizer
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< Adam's
  double momentum = 0;                                ///< Sgd's
  double weight_decay = 0;                            ///< times the weight, added to the gradient
};

/// Kingma & Ba 2015; epsilon is added after the bias correction, as in PyTorch. Formula: tensor/backend.h, adam_step.
class Adam : public Optimizer {
 public:
  explicit Adam(Module& module, const OptimizerOptions& options = {})
      : Optimizer(module, {"m", "v"}), options_(options) {}

 private:
  OptimizerOptions options_;
  void update(const std::vector<Update>& updates) override;
};

/// Stochastic gradient descent with momentum. Formula: tensor/backend.h, sgd_step.
class Sgd : public Optimizer {
 public:
  explicit Sgd(Module& module, const OptimizerOptions& options = {})
      : Optimizer(module, {"velocity"}), options_(options) {}

 private:
  OptimizerOptions options_;
  void update(const std::vector<Update>& updates) override;
};

/// The one that options.kind says.
std::unique_ptr<Optimizer> make_optimizer(Module& module, const OptimizerOptions& options);

}  // namespace nn
