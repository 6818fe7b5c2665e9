/// Layers one after the other.
#pragma once
#include <string>
#include <tuple>
#include <utility>

#include "nn/module.h"

namespace nn {

/// y = last(...(second(first(x)))). Each layer maps a Variable to a Variable; their names are "0", "1", ..., as in
/// PyTorch. In braces, so that layers are made, and draw their initial values, in the order in which they are written.
///   nn::Sequential mlp{nn::Linear({.in = 2, .out = 16}), nn::Tanh(), nn::Linear({.in = 16, .out = 3})};
template <class... Layers>
class Sequential : public Module {
 public:
  explicit Sequential(Layers... layers) : layers_(std::move(layers)...) {}

  Variable operator()(Variable x) {
    std::apply([&x](Layers&... layer) { ((x = layer(x)), ...); }, layers_);
    return x;
  }
  void visit(Visitor& v) override {
    int i = 0;
    std::apply([&](Layers&... layer) { (v.module(std::to_string(i++), layer), ...); }, layers_);
  }
  /// Layer I, by its type.
  template <size_t I>
  auto& layer() {
    return std::get<I>(layers_);
  }

 private:
  std::tuple<Layers...> layers_;
};

}  // namespace nn
