/// Initial values of parameters. A layer is made with PyTorch's defaults, drawn layer by layer. `initialize` replaces
/// them by a function of the seed and the parameter's dotted name alone, so that neither the order of construction nor
/// the device matters.
#pragma once
#include <cstdint>
#include <string>

#include "nn/module.h"

namespace nn {

enum class InitKind {
  he,  ///< normal, deviation gain / sqrt(fan_in), gain sqrt(2) before a ReLU, else 1; biases 0.  Source: He et al. 2015
  pytorch  ///< uniform in +-1/sqrt(fan_in), biases too: the default of PyTorch's convolutions
};
constexpr auto names(InitKind) { return tensor::Names{"initialisation", {"he", "pytorch"}}; }

/// What a layer says about its weight.
struct WeightFans {
  double summands;        ///< products that one output value sums
  double pytorch_fan_in;  ///< what PyTorch calls fan_in (differs for transposed convolutions)
  bool before_relu;
};

class Initializer {
 public:
  Initializer(InitKind kind, uint64_t seed) : kind_(kind), seed_(seed) {}
  /// Fills the weight of the layer at `path` and, where it is defined, its bias.
  void fill(const std::string& path, const WeightFans& fans, Variable& weight, Variable& bias) const;

 private:
  InitKind kind_;
  uint64_t seed_;
};

/// A layer of a weight and, where it is defined, a bias.
class WeightedLayer : public Module {
 public:
  void visit(Visitor& v) override;
  Variable weight, bias;

 protected:
  /// The end of a layer's constructor: makes both, f32 on the cpu, and draws their values, of InitKind::pytorch.
  void make(const tensor::Shape& weight_shape, int64_t outputs, bool with_bias);
};

/// Seeds the values that this thread's layers are made with: the n-th layer made after it draws the n-th values of
/// `seed`. A program that calls it never begins as if by set_layer_seed(0).
void set_layer_seed(uint64_t seed);
/// Sets every parameter and running statistic below to its initial value, on the device and in the dtype that it has.
void initialize(Module& module, uint64_t seed, InitKind kind = InitKind::he);

}  // namespace nn
