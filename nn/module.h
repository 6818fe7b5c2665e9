/// Module: a plain struct that lists its fields once in visit(); names, checkpoints, devices and modes follow from it.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "autograd/ops.h"

namespace nn {

using autograd::Variable;
using tensor::Parts;
using tensor::Tensor;

class Module;
class Initializer;

/// Receives the fields of a module, each with its name. A nested module's fields are reached through module().
class Visitor {
 public:
  virtual ~Visitor() = default;
  virtual void parameter(const std::string& name, Variable& v) = 0;
  virtual void buffer(const std::string& name, Tensor& t) = 0;
  virtual void module(const std::string& name, Module& m) = 0;
  /// A whole number that is saved but neither trained nor on a device (batches seen).
  virtual void counter(const std::string& /*name*/, int64_t& /*count*/) {}
};

template <class T>
struct Named {
  std::string name;  ///< dotted path, as in PyTorch's state_dict: "encoder.0.conv1.weight"
  T* value;
};

class Module {
 public:
  virtual ~Module() = default;
  /// Hands every parameter, buffer and submodule to `v`, in a fixed order.
  virtual void visit(Visitor& v) = 0;
  /// Sets this module's own parameters anew; those of the modules below are set by then. `path` is its dotted name. See
  /// nn/init.h.
  virtual void initialize(const Initializer& /*init*/, const std::string& /*path*/) {}
  /// Makes (true) or drops (false) this module's own folded weights. See fold_norms.
  virtual void set_folded(bool /*on*/) {}

  /// All parameters below, depth first, with dotted names. Pointers live as long as the module.
  std::vector<Named<Variable>> parameters();
  /// All buffers below (running statistics): state that is saved but not trained.
  std::vector<Named<Tensor>> buffers();
  /// All counters below.
  std::vector<Named<int64_t>> counters();
  /// All modules below, itself first with the name "".
  std::vector<Named<Module>> modules();
  /// Training mode (batch statistics, dropout) or evaluation mode, for this module and all below. Folded weights are
  /// dropped.
  void train(bool on = true);
  bool training() const { return training_; }
  /// Folds every batch norm that follows a convolution into its weights, for evaluation without gradients. Holds until
  /// train(), to() or a loaded checkpoint. Throws in training mode.
  void fold_norms();
  /// Moves parameters and buffers; gradients are dropped.
  void to(tensor::Device device);
  /// Changes the element type of parameters and buffers (f32 or f64).
  void to(tensor::DType dtype);
  void zero_grad();
  /// Number of trained values.
  int64_t parameter_count();

 private:
  bool training_ = true;
};

}  // namespace nn
