/// A step is recorded on tensors that stay in place: each batch is copied into them before the replay.
#include "cris/run/replayed_step.h"

#include "nn/dropout.h"

namespace cris {

using tensor::Tensor;

ReplayedStep::ReplayedStep(Model& model, nn::Optimizer& optimizer, const StepOptions& options, bool replay)
    : model_(model),
      optimizer_(optimizer),
      options_(options),
      device_(optimizer.parameters().front().value->value().device()),
      // The CRF's filters are made on the host, from each image anew.
      replay_(replay && device_ == tensor::Device::cuda && !model.crf),
      memory_(device_) {}

double ReplayedStep::take(const StepPosition& at, const Tensor& x, const Tensor& mask, double learning_rate,
                          const std::function<void()>& meanwhile) {
  const Loss kind = loss_of(options_.strategy, options_.cris, at);
  const bool usual = replay_ && is_usual(x, mask);
  if (usual && taken_.contains(kind)) {
    keep_memory();
    if (!recorded_.contains(kind)) record(kind);
  }
  const auto recorded = recorded_.find(kind);
  replayed_ = usual && recorded != recorded_.end();
  if (replayed_) {
    replay(recorded->second, x, mask, at.number);
    meanwhile();
    return update_weights(model_, optimizer_, recorded->second.watched, learning_rate);
  }
  memory_.give();
  const double loss = training_step(model_, optimizer_, options_, at, x, mask, learning_rate);
  keep_memory();
  if (usual) taken_.insert(kind);
  return loss;
}

void ReplayedStep::replay(const Recorded& r, const Tensor& x, const Tensor& mask, uint32_t random_step) {
  auto& device = tensor::backend(device_);
  device.copy(x_.raw(), x.raw(), x.bytes());
  device.copy(mask_.raw(), mask.raw(), mask.bytes());
  device.copy_from_host(random_step_.raw(), &random_step, sizeof random_step);
  r.work->replay();
  const auto counters = model_.counters();
  for (size_t i = 0; i < counters.size(); ++i) *counters[i].value += r.counted[i];
  for (const size_t i : r.parameters) optimizer_.parameters()[i].value->node()->grad = gradients_[i];
}

void ReplayedStep::between_steps(const std::function<void()>& work) {
  model_.zero_grad();
  memory_.give();
  work();
  keep_memory();
}

bool ReplayedStep::is_usual(const Tensor& x, const Tensor& mask) {
  // A run may resume at the last, short batch of an epoch: the largest batch is the usual one.
  if (!x_.defined() || x.size() > x_.size()) {
    forget();
    taken_.clear();
    x_ = Tensor(x.shape(), x.dtype(), device_);
    mask_ = Tensor(mask.shape(), mask.dtype(), device_);
    random_step_ = Tensor({1}, tensor::DType::i32, device_);
    gradients_.clear();
    for (const auto& p : optimizer_.parameters())
      gradients_.emplace_back(p.value->shape(), p.value->value().dtype(), device_);
  }
  return x.shape() == x_.shape();
}

void ReplayedStep::record(Loss kind) {
  const auto& parameters = optimizer_.parameters();
  auto& device = tensor::backend(device_);
  Recorded r;
  r.watched = tensor::zeros({1 + int64_t(parameters.size())}, tensor::DType::f32, device_);
  std::vector<int64_t> before;
  for (const auto& c : model_.counters()) before.push_back(*c.value);
  nn::set_random_step(model_, options_.seed, 0);
  // All kinds of step share their memory: no two run at once, and none leaves anything in it.
  memory_.give();
  try {
    memory_.note([&] {
      r.work = tensor::cuda::record(random_step_, [&] {
        const Tensor watched = compute_gradients(model_, kind, options_, x_, mask_);
        device.copy(r.watched.raw(), watched.raw(), watched.bytes());
        for (size_t i = 0; i < parameters.size(); ++i)
          if (const Tensor& g = parameters[i].value->grad(); g.defined()) {
            device.copy(gradients_[i].raw(), g.raw(), g.bytes());
            r.parameters.push_back(i);
          }
      });
      model_.zero_grad();
    });
  } catch (const tensor::Error& e) {
    refusal_ = e.what();
    replay_ = false;
    model_.zero_grad();
  }
  const auto counters = model_.counters();
  for (size_t i = 0; i < counters.size(); ++i) {
    r.counted.push_back(*counters[i].value - before[i]);
    *counters[i].value = before[i];
  }
  if (!refusal_.empty()) return forget();
  recorded_[kind] = std::move(r);
  keep_memory();
}

void ReplayedStep::keep_memory() {
  if (!memory_.take()) forget();
}

void ReplayedStep::forget() {
  recorded_.clear();
  memory_.clear();
}

}  // namespace cris
