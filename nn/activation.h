/// Activations as layers, for networks that list them; autograd::relu, ::sigmoid and ::tanh are the same without a
/// layer.
#pragma once
#include "nn/module.h"

namespace nn {

/// y = op(x), element by element.
template <Variable (*op)(const Variable&)>
class Elementwise : public Module {
 public:
  Variable operator()(const Variable& x) const { return op(x); }
  void visit(Visitor&) override {}
};
using ReLU = Elementwise<autograd::relu>;        ///< max(x, 0)
using Sigmoid = Elementwise<autograd::sigmoid>;  ///< 1 / (1 + e^-x)
using Tanh = Elementwise<autograd::tanh>;        ///< (e^x - e^-x) / (e^x + e^-x)

}  // namespace nn
