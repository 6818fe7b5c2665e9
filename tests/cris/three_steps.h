/// A tiny network after three training steps on a device, for comparing devices.
#pragma once
#include <vector>

#include "cris/model.h"
#include "cris/training_step.h"
#include "nn/init.h"
#include "nn/optimizer.h"

namespace three_steps {

using namespace cris;
using tensor::Device;
using tensor::DType;
using tensor::Tensor;

/// The losses of three training steps, then the probabilities that the trained model gives in evaluation mode.
inline std::vector<double> trained(BackboneKind kind, Strategy strategy, Device device, DType dtype = DType::f32,
                                   int64_t base = 2) {
  Model model({.backbone = {.kind = kind, .base = base},
               .strategy = strategy,
               .refiner = {.channels = 3, .kernels = {3, 3}},
               // The mean field's iterations tear pixels between the labels apart, and rounding with them.
               .crf = {.training_iterations = 3, .evaluation_iterations = 3}});
  nn::initialize(model, 1);
  model.to(dtype);
  model.to(device);
  const auto draw = [&](uint32_t stream, int64_t channels) {
    const Tensor drawn = tensor::uniform({5, stream, 0}, {2, 32, 32, channels}, 0, 1, DType::f32, Device::cpu);
    return tensor::cast(drawn, dtype).to(device);
  };
  const Tensor x = draw(1, 3), mask = tensor::map(tensor::Threshold{0.5}, draw(2, 1));
  nn::Adam optimizer(model);
  std::vector<double> numbers;
  const StepOptions options{.strategy = strategy, .cris = {.alternate = Alternate::batch}, .seed = 1};
  for (int step = 0; step < 3; ++step)
    numbers.push_back(
        training_step(model, optimizer, options, {.batch = step, .number = uint32_t(step)}, x, mask, 1e-3));
  model.train(false);
  const autograd::NoGrad off;
  for (const double p : autograd::sigmoid(model(Variable(x)).output).value().to_vector()) numbers.push_back(p);
  return numbers;
}

}  // namespace three_steps
