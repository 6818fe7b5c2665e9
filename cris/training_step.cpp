/// Forward, loss, backward, update; the loss and the gradients are watched for NaN in one transfer to the host.
#include "cris/training_step.h"

#include <cmath>

#include "cris/nonfinite.h"
#include "nn/dropout.h"

namespace cris {

using tensor::Tensor;

double training_step(Model& model, nn::Optimizer& optimizer, const StepOptions& options, const StepPosition& at,
                     const Tensor& x, const Tensor& mask, double learning_rate) {
  nn::set_random_step(model, options.seed, at.number);
  const Loss kind = loss_of(options.strategy, options.cris, at);  // equation 3
  const Tensor watched = compute_gradients(model, kind, options, x, mask);
  return update_weights(model, optimizer, watched, learning_rate);
}

Variable batch_loss(Model& model, Loss kind, const CrisOptions& options, const Tensor& x, const Tensor& mask) {
  const Outputs out =
      model(Variable(x), {.refine = kind != Loss::mask_mse, .detach_refiner_input = options.detach_refiner_input});
  Variable total = loss_value(kind, options, out.mask, out.output, mask);  // equations 1 and 2
  for (const Variable& side : out.sides) total = autograd::add(total, loss_value(kind, options, side, side, mask));
  return out.sides.empty() ? total : autograd::affine(total, 1.0 / double(out.sides.size() + 1), 0);
}

Tensor compute_gradients(Model& model, Loss kind, const StepOptions& options, const Tensor& x, const Tensor& mask) {
  model.zero_grad();
  Tensor value;
  {
    const Variable loss = batch_loss(model, kind, options.cris, x, mask);
    value = loss.value();
    autograd::backward(loss);
  }
  std::vector<Tensor> gradients;
  for (const auto& p : model.parameters())
    if (options.watch_gradients && p.value->grad().defined()) gradients.push_back(p.value->grad());
  return gradients.empty() ? value : tensor::concat({value, tensor::non_finite(gradients)});
}

double update_weights(Model& model, nn::Optimizer& optimizer, const Tensor& watched, double learning_rate) {
  const std::vector<double> values = watched.to_vector();
  for (const double v : values)
    if (!std::isfinite(v))
      throw NonFiniteError(
          fmt::format("the loss is {}; the first gradient that is not finite: {}; lower the learning rate", values[0],
                      non_finite_gradient(model)));
  optimizer.step(learning_rate);  // Adam, in the paper
  model.zero_grad();
  return values[0];
}

}  // namespace cris
