/// Batch normalisation: keeps x and [C] statistics; y is made again where a formula needs it.
#include <memory>

#include "autograd/ops.h"

namespace autograd {

using tensor::check;

namespace {

/// All that the gradients and a second forward pass need.
struct SavedBatchNorm {
  Saved x;
  Tensor mean, rstd, gamma, beta;
  Activation activation;
  bool training;

  template <class F>
  auto with(F&& f) const {
    const Tensor image = x.get();
    return f(tensor::BatchNorm{image, mean, rstd, gamma, beta, activation});
  }
};

/// With so few values per channel xhat nears its bounds (+-1 of two values), where the gradient of x is a small rest of
/// numbers that cancel: f32 leaves nothing of it, and Adam, which divides by a gradient's size, makes that rest count.
constexpr int64_t kFewValues = 32;

}  // namespace

Variable batch_norm(const Variable& x, const Variable& gamma, const Variable& beta, const Tensor& running_mean,
                    const Tensor& running_var, const BatchNormOptions& options) {
  check(x.shape().rank() >= 2, "batch_norm: x {} needs at least 2 axes", x.shape());
  const int64_t c = x.shape()[-1], values = c ? x.shape().count() / c : 0;
  const tensor::Shape row{c};
  check(gamma.shape() == row && beta.shape() == row && running_mean.shape() == row && running_var.shape() == row,
        "batch_norm: x {} has {} channels, but gamma is {}, beta {}, running_mean {}, running_var {}", x.shape(), c,
        gamma.shape(), beta.shape(), running_mean.shape(), running_var.shape());

  using tensor::DType;
  if (options.training && values <= kFewValues && x.value().dtype() != DType::f64) {
    const auto wide = [](const Variable& v) { return cast(v, DType::f64); };
    return cast(batch_norm(wide(x), wide(gamma), wide(beta), running_mean, running_var, options), x.value().dtype());
  }
  SavedBatchNorm n{Saved(x), {}, {}, gamma.value(), beta.value(), options.activation, options.training};
  if (options.training) {
    check(values > 1,
          "batch_norm: x {} has {} value(s) per channel; training needs at least 2 (a larger batch or image)",
          x.shape(), values);
    const tensor::RunningUpdate update{options.momentum, double(values) / double(values - 1), options.epsilon};
    tensor::Standardization batch = tensor::batch_norm_update(update, x.value(), running_mean, running_var);
    n.mean = std::move(batch.mean);
    n.rstd = std::move(batch.rstd);
  } else {
    // A later training pass changes the running mean in place; the formulas need today's.
    n.mean = grad_enabled() ? running_mean.clone() : running_mean;
    n.rstd = tensor::map(tensor::Rsqrt{options.epsilon}, running_var);
  }

  Tensor y = tensor::batch_norm({x.value(), n.mean, n.rstd, n.gamma, n.beta, n.activation});
  // Over dy, for all three gradients: whichever formula runs first computes them.
  const auto sums = [ n, computed = std::make_shared<tensor::BatchNormSums>() ](const Tensor& dy) -> const auto& {
    if (!computed->dbeta.defined())
      *computed = n.with([&](const tensor::BatchNorm& b) { return tensor::batch_norm_grad_sums(b, dy); });
    return *computed;
  };
  // x last: its gradient may take dy's memory.
  return record("batch_norm", std::move(y),
                {{beta, [sums](const Tensor& dy) { return sums(dy).dbeta; }},
                 {gamma, [sums](const Tensor& dy) { return sums(dy).dgamma; }},
                 {x,
                  [n, sums](Tensor dy) {
                    const tensor::BatchNormSums& s = sums(dy);
                    return n.with([&](const tensor::BatchNorm& b) {
                      return tensor::batch_norm_grad_input(b, std::move(dy), s, n.training);
                    });
                  }}},
                [n] { return n.with([](const tensor::BatchNorm& b) { return tensor::batch_norm(b); }); });
}

}  // namespace autograd
