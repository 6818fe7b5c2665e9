/// What all optimisers share (state by parameter name, rates, missing gradients), then the two rules.
#include "nn/optimizer.h"

#include <utility>

namespace nn {

using tensor::check;

void Optimizer::step(double learning_rate) {
  std::vector<Update> updates;
  for (const auto& p : parameters_) {
    const Tensor& w = p.value->value();
    Tensor g = p.value->grad();
    if (!g.defined() && missing_as_zero_ && p.value->requires_grad() && state_.contains(p.name))
      g = tensor::full_like(w, 0);
    if (!g.defined()) continue;
    ParameterState& state = state_[p.name];
    if (state.moments.empty())
      for (size_t k = 0; k < moment_names().size(); ++k) state.moments.push_back(tensor::full_like(w, 0));
    ++state.step;
    double rate = learning_rate;
    for (const auto& [prefix, factor] : factors_)
      if (p.name.starts_with(prefix)) rate *= factor;
    updates.push_back({rate, g, w, &state});
  }
  update(updates);
}

void Optimizer::set_state(std::map<std::string, ParameterState> state) {
  std::map<std::string, const Tensor*> weights;
  for (const auto& p : parameters_) weights[p.name] = &p.value->value();
  for (auto& [name, s] : state) {
    const auto at = weights.find(name);
    check(at != weights.end(), "optimizer: no parameter is called {}", name);
    check(s.moments.size() == moment_names().size(), "optimizer: {} has {} moments, {} are needed", name,
          s.moments.size(), moment_names().size());
    for (Tensor& moment : s.moments) {
      const Tensor& w = *at->second;
      check(moment.shape() == w.shape(), "optimizer: a moment of {} is {}, the parameter {}", name, moment.shape(),
            w.shape());
      moment = (moment.dtype() == w.dtype() ? moment : tensor::cast(moment, w.dtype())).to(w.device());
    }
  }
  state_ = std::move(state);
}

void Adam::update(const std::vector<Update>& updates) {
  std::vector<tensor::AdamUpdate> steps;
  for (const Update& u : updates)
    steps.push_back({{.learning_rate = u.learning_rate,
                      .beta1 = options_.beta1,
                      .beta2 = options_.beta2,
                      .epsilon = options_.epsilon,
                      .weight_decay = options_.weight_decay,
                      .step = u.state->step},
                     u.g,
                     u.w,
                     u.state->moments[0],
                     u.state->moments[1]});
  tensor::adam_steps(steps);  // a GPU takes them in a few launches
}

void Sgd::update(const std::vector<Update>& updates) {
  for (const Update& u : updates)
    tensor::sgd_step(
        {.learning_rate = u.learning_rate, .momentum = options_.momentum, .weight_decay = options_.weight_decay}, u.g,
        u.w, u.state->moments[0]);
}

std::unique_ptr<Optimizer> make_optimizer(Module& module, const OptimizerOptions& options) {
  if (options.kind == OptimizerKind::sgd) return std::make_unique<Sgd>(module, options);
  return std::make_unique<Adam>(module, options);
}

}  // namespace nn
