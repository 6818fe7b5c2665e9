/// Activations as layers, for networks that list them; autograd::relu, ::sigmoid and ::tanh are the same without a
/// layer.
#pragma once
#include "nn/module.h"

namespace nn {

/// max(x, 0)
class ReLU : public Module {
 public:
  Variable operator()(const Variable& x) const { return autograd::relu(x); }
  void visit(Visitor&) override {}
};

/// 1 / (1 + e^-x)
class Sigmoid : public Module {
 public:
  Variable operator()(const Variable& x) const { return autograd::sigmoid(x); }
  void visit(Visitor&) override {}
};

/// (e^x - e^-x) / (e^x + e^-x)
class Tanh : public Module {
 public:
  Variable operator()(const Variable& x) const { return autograd::tanh(x); }
  void visit(Visitor&) override {}
};

}  // namespace nn
