/// Each parameter's numbers are a function of the seed and of its name, so adding a named layer changes no other.
#include "nn/init.h"

#include <cmath>

#include "nn/hash.h"

namespace nn {

namespace {

/// Step numbers belong to training; this one never is reached, so initial values share no block with a dropout mask.
constexpr uint32_t kInitStep = 0xffffffffu;

struct MadeLayers {
  uint64_t seed = 0, count = 0;
};
thread_local MadeLayers made_layers;

}  // namespace

void set_layer_seed(uint64_t seed) { made_layers = {seed, 0}; }

void WeightedLayer::visit(Visitor& v) {
  v.parameter("weight", weight);
  if (bias.defined()) v.parameter("bias", bias);
}

void WeightedLayer::make(const tensor::Shape& weight_shape, int64_t outputs, bool with_bias) {
  const auto zeros = [](const tensor::Shape& shape) {
    return Variable(tensor::zeros(shape, tensor::DType::f32, tensor::Device::cpu), true);
  };
  weight = zeros(weight_shape);
  if (with_bias) bias = zeros({outputs});
  // A name that no field can have: what is made and what is named draw from different streams.
  initialize(Initializer(InitKind::pytorch, made_layers.seed), fmt::format("made {}", made_layers.count++));
}

void Initializer::fill(const std::string& path, const WeightFans& fans, Variable& weight, Variable& bias) const {
  const auto key = [&](const std::string& name) {
    return tensor::RandomKey{seed_, stream_of(path.empty() ? name : path + "." + name), kInitStep};
  };
  const Tensor& w = weight.value();
  if (kind_ == InitKind::pytorch) {
    const double bound = 1 / std::sqrt(fans.pytorch_fan_in);
    const auto draw = [&](const char* name, const Tensor& now) {
      return tensor::uniform(key(name), now.shape(), -bound, bound, now.dtype(), now.device());
    };
    weight.set_value(draw("weight", w));
    if (bias.defined()) bias.set_value(draw("bias", bias.value()));
    return;
  }
  const double deviation = std::sqrt((fans.before_relu ? 2.0 : 1.0) / fans.summands);
  weight.set_value(tensor::normal(key("weight"), w.shape(), 0, deviation, w.dtype(), w.device()));
  if (bias.defined()) bias.set_value(tensor::full_like(bias.value(), 0));
}

void initialize(Module& module, uint64_t seed, InitKind kind) {
  const Initializer init(kind, seed);
  auto modules = module.modules();
  for (auto m = modules.rbegin(); m != modules.rend(); ++m) {
    m->value->set_folded(false);
    m->value->initialize(init, m->name);
  }
}

}  // namespace nn
