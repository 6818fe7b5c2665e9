/// One step of training, in pieces or as a replay.
#include "cris/training_step.h"

#include <cmath>

#include "nn/dropout.h"

namespace cris {

using tensor::Tensor;

TrainingStep::TrainingStep(Model& model, nn::Adam& optimizer, const StepOptions& options)
    : model_(model),
      optimizer_(optimizer),
      options_(options),
      device_(optimizer.parameters().front().value->value().device()),
      memory_(device_) {
  // The CRF's filters are made on the host, from each image anew.
  if (!tensor::backend(device_).can_record() || model_.crf) options_.replay = false;
}

Variable TrainingStep::loss(Loss kind, const Tensor& x, const Tensor& mask) {
  const CrisOptions& o = options_.cris;
  const Outputs out =
      model_(Variable(x), {.refine = kind != Loss::mask_mse, .detach_refiner_input = o.detach_refiner_input});
  Variable total = loss_value(kind, o, out.mask, out.output, mask);
  for (const Variable& side : out.sides) total = autograd::add(total, loss_value(kind, o, side, side, mask));
  return out.sides.empty() ? total : autograd::affine(total, 1.0 / double(out.sides.size() + 1), 0);
}

Tensor TrainingStep::compute(Loss kind, const Tensor& x, const Tensor& mask) {
  model_.zero_grad();
  std::vector<Tensor> results;
  {
    const Variable value = loss(kind, x, mask);
    results.push_back(value.value());
    autograd::backward(value);
  }
  with_gradient_ = optimizer_.with_gradient();
  if (options_.watch_finite)
    for (const size_t i : with_gradient_) results.push_back(tensor::sum(optimizer_.parameters()[i].value->grad()));
  return tensor::concat(results);
}

void TrainingStep::gradients(Loss kind, const Tensor& x, const Tensor& mask, uint32_t random_step) {
  nn::set_random_step(model_, options_.seed, random_step);
  replaying_ = nullptr;
  const bool usual = options_.replay && is_usual(x, mask);
  if (usual && taken_.contains(kind)) {
    keep_memory();
    if (!recorded_.contains(kind)) record(kind);
    if (const auto at = recorded_.find(kind); at != recorded_.end()) return replay(at->second, x, mask, random_step);
  }
  memory_.give();
  results_ = compute(kind, x, mask);
  if (usual) taken_.insert(kind);
}

void TrainingStep::replay(Recorded& r, const Tensor& x, const Tensor& mask, uint32_t random_step) {
  auto& device = tensor::backend(device_);
  device.copy(x_.raw(), x.raw(), x.bytes());
  device.copy(mask_.raw(), mask.raw(), mask.bytes());
  device.copy_from_host(numbers_.random_step.raw(), &random_step, sizeof random_step);
  r.gradients->replay();
  const auto counters = model_.counters();
  for (size_t i = 0; i < counters.size(); ++i) *counters[i].value += r.counted[i];
  with_gradient_ = r.parameters;
  results_ = r.results;
  replaying_ = &r;
}

TrainingStep::Outcome TrainingStep::outcome() const {
  const std::vector<double> values = results_.to_vector();
  const size_t sums = options_.watch_finite ? with_gradient_.size() : 0;
  for (size_t k = 0; k < sums; ++k)
    if (!std::isfinite(values[1 + k])) return {values[0], optimizer_.parameters()[with_gradient_[k]].name};
  return {values[0], ""};
}

void TrainingStep::update(double learning_rate) {
  if (!replaying_) {
    optimizer_.step(learning_rate);
    model_.zero_grad();
    results_ = {};
    return keep_memory();
  }
  std::vector<double> factors;
  for (const size_t i : with_gradient_) {
    optimizer_.count(i);
    const tensor::AdamFactors f = tensor::adam_factors(optimizer_.numbers(i, learning_rate));
    factors.insert(factors.end(), {f.rate, f.correction});
  }
  tensor::backend(device_).copy_from_host(numbers_.adam_factors.raw(), factors.data(),
                                          int64_t(factors.size() * sizeof(double)));
  replaying_->update->replay();
}

void TrainingStep::meanwhile(const std::function<void()>& work) {
  replaying_ = nullptr;
  model_.zero_grad();
  memory_.give();
  work();
  keep_memory();
}

bool TrainingStep::is_usual(const Tensor& x, const Tensor& mask) {
  // A run may resume at the last, short batch of an epoch: the largest batch is the usual one.
  if (!x_.defined() || x.size() > x_.size()) {
    forget();
    taken_.clear();
    x_ = Tensor(x.shape(), x.dtype(), device_);
    mask_ = Tensor(mask.shape(), mask.dtype(), device_);
    const auto updates = int64_t(optimizer_.parameters().size());
    numbers_ = {.random_step = Tensor({1}, tensor::DType::i32, device_),
                .adam_factors = Tensor({updates, 2}, tensor::DType::f64, device_)};
  }
  return x.shape() == x_.shape();
}

void TrainingStep::record(Loss kind) {
  Recorded r;
  r.results = Tensor({1 + int64_t(optimizer_.parameters().size())}, tensor::DType::f32, device_);
  auto& device = tensor::backend(device_);
  std::vector<int64_t> before;
  for (const auto& c : model_.counters()) before.push_back(*c.value);
  // All kinds of step share their memory: no two run at once, and none leaves anything in it.
  memory_.give();
  try {
    memory_.note([&] {
      r.gradients = device.record(numbers_, [&] {
        const Tensor results = compute(kind, x_, mask_);
        device.copy(r.results.raw(), results.raw(), results.bytes());
      });
      r.parameters = with_gradient_;
      r.update = device.record(numbers_, [&] {
        for (const size_t i : r.parameters) optimizer_.apply(i, 0);
      });
      model_.zero_grad();
    });
  } catch (const tensor::Error& e) {
    refusal_ = e.what();
    options_.replay = false;
    r = {};
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

void TrainingStep::keep_memory() {
  if (!memory_.take()) forget();
}

void TrainingStep::forget() {
  replaying_ = nullptr;
  recorded_.clear();
  memory_.clear();
}

}  // namespace cris
