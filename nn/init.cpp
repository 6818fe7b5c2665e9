/// Each parameter's numbers are a function of the seed and of its name, so adding a named layer changes no other.
#include "nn/init.h"

#include <cmath>

#include "nn/hash.h"

namespace nn {

namespace {

/// Step numbers belong to training; this one never is reached, so initial values share no block with a dropout mask.
constexpr uint32_t kInitStep = 0xffffffffu;

tensor::RandomKey key_of(uint64_t seed, const std::string& name) { return {seed, stream_of(name), kInitStep}; }

void fill_uniform(const tensor::RandomKey& key, double bound, Variable& v) {
  const Tensor& now = v.value();
  v.set_value(tensor::uniform(key, now.shape(), -bound, bound, now.dtype(), now.device()));
}

struct MadeLayers {
  uint64_t seed = 0, count = 0;
};
thread_local MadeLayers made_layers;

}  // namespace

std::string below(const std::string& path, const char* name) { return path.empty() ? name : path + "." + name; }

Variable zero_parameter(const tensor::Shape& shape) {
  return Variable(tensor::zeros(shape, tensor::DType::f32, tensor::Device::cpu), true);
}

void set_layer_seed(uint64_t seed) { made_layers = {seed, 0}; }

void initialize_made(Module& layer) {
  // A name that no field can have: what is made and what is named draw from different streams.
  layer.initialize(Initializer(InitKind::pytorch, made_layers.seed), fmt::format("made {}", made_layers.count++));
}

void Initializer::weight(const std::string& name, const WeightFans& fans, Variable& weight) const {
  if (kind_ == InitKind::pytorch) return fill_uniform(key_of(seed_, name), 1 / std::sqrt(fans.pytorch_fan_in), weight);
  const double deviation = std::sqrt((fans.before_relu ? 2.0 : 1.0) / fans.summands);
  const Tensor& now = weight.value();
  weight.set_value(tensor::normal(key_of(seed_, name), now.shape(), 0, deviation, now.dtype(), now.device()));
}

void Initializer::bias(const std::string& name, const WeightFans& fans, Variable& bias) const {
  if (kind_ == InitKind::pytorch) return fill_uniform(key_of(seed_, name), 1 / std::sqrt(fans.pytorch_fan_in), bias);
  bias.set_value(tensor::full_like(bias.value(), 0));
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
