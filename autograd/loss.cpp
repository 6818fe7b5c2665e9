/// Losses: one number each, with its gradient. Targets are plain tensors.
#include "autograd/ops.h"

namespace autograd {

using tensor::check;

namespace {

/// scale * g * dy in g's memory; dy: [1].
Tensor scaled(Tensor g, double scale, const Tensor& dy) {
  return tensor::zip(tensor::Multiply{}, std::move(g), tensor::map(tensor::Affine{scale, 0}, dy));
}

/// Mean over all elements of value(x, target), whose derivative with respect to x is scale * slope(x, target).
Variable mean_of(const char* op, const Variable& x, const Tensor& target, const tensor::ZipOp& value,
                 const tensor::ZipOp& slope, double scale = 1) {
  check(x.shape() == target.shape() && target.size() > 0,
        "{}: prediction {}, target {}: they must be equal and not empty", op, x.shape(), target.shape());
  const double n = double(target.size());
  Tensor total = tensor::sum(tensor::zip(value, x.value(), target));
  return record(op, tensor::map(tensor::Affine{1 / n, 0}, std::move(total)),
                {{x, [x = Saved(x), target, slope, factor = scale / n](const Tensor& dy) {
                    return scaled(tensor::zip(slope, x.get(), target), factor, dy);
                  }}});
}

/// Image i of a batch, as a copy: of the batch as one row, the channels that are the image.
Tensor image_of(const Tensor& batch, int64_t i) {
  const tensor::Shape image = batch.shape().with(0, 1);
  return tensor::channels(batch.reshape({batch.size()}), i * image.count(), image.count()).reshape(image);
}

/// 2 sum(p t) + smooth and sum p + sum t + smooth of one image: [1] each.
struct DiceTerms {
  Tensor above, below;
  DiceTerms(const Tensor& p, const Tensor& t, double smooth)
      : above(tensor::map(tensor::Affine{2, smooth}, tensor::sum(tensor::zip(tensor::Multiply{}, p, t)))),
        below(tensor::map(tensor::Affine{1, smooth}, tensor::zip(tensor::Add{}, tensor::sum(p), tensor::sum(t)))) {}
};

/// d(above / below) / dp = (2 t - above / below) / below, for each pixel.
Tensor dice_slope(const Tensor& p, Tensor t, double smooth) {
  const DiceTerms terms(p, t, smooth);
  Tensor slope = tensor::map(tensor::Affine{2, 0}, std::move(t));
  slope = tensor::zip(tensor::Subtract{}, std::move(slope), tensor::zip(tensor::Divide{}, terms.above, terms.below));
  return tensor::zip(tensor::Divide{}, std::move(slope), terms.below);
}

}  // namespace

Variable mse_loss(const Variable& x, const Tensor& target) {
  return mean_of("mse_loss", x, target, tensor::SquaredDifference{}, tensor::Subtract{}, 2);
}

Variable binary_cross_entropy(const Variable& p, const Tensor& target, double log_floor) {
  return mean_of("binary_cross_entropy", p, target, tensor::BinaryCrossEntropy{log_floor},
                 tensor::BinaryCrossEntropyGrad{});
}

Variable binary_cross_entropy_with_logits(const Variable& z, const Tensor& target) {
  return mean_of("binary_cross_entropy_with_logits", z, target, tensor::BinaryCrossEntropyWithLogits{},
                 tensor::BinaryCrossEntropyWithLogitsGrad{});
}

Variable cross_entropy(const Variable& z, const Tensor& classes) {
  const Tensor losses = tensor::cross_entropy(z.value(), classes);
  check(losses.size() > 0, "cross_entropy: {} is empty", z.shape());
  const double scale = 1 / double(losses.size());
  return record("cross_entropy", tensor::map(tensor::Affine{scale, 0}, tensor::sum(losses)),
                {{z, [z = Saved(z), classes, scale](const Tensor& dy) {
                    return scaled(tensor::cross_entropy_grad(z.get(), classes), scale, dy);
                  }}});
}

Variable soft_dice_loss(const Variable& p, const Tensor& target, double smooth) {
  check(p.shape() == target.shape() && p.shape().rank() >= 2 && target.size() > 0,
        "soft_dice_loss: prediction {}, target {}: they must be equal, [N, ...] and not empty", p.shape(),
        target.shape());
  check(smooth > 0, "soft_dice_loss: smooth is {}, must be positive", smooth);
  const int64_t images = p.shape()[0];
  Tensor total = tensor::zeros({1}, target.dtype(), target.device());
  for (int64_t i = 0; i < images; ++i) {
    const DiceTerms terms(image_of(p.value(), i), image_of(target, i), smooth);
    tensor::add_to(total, tensor::zip(tensor::Divide{}, terms.above, terms.below));
  }
  const double scale = -1.0 / double(images);
  return record("soft_dice_loss", tensor::map(tensor::Affine{scale, 1}, std::move(total)),
                {{p, [p = Saved(p), target, smooth, images, scale](const Tensor& dy) {
                    const Tensor prediction = p.get();
                    std::vector<Tensor> slopes;
                    for (int64_t i = 0; i < images; ++i) {
                      const Tensor slope = dice_slope(image_of(prediction, i), image_of(target, i), smooth);
                      slopes.push_back(slope.reshape({slope.size()}));
                    }
                    Tensor dp = tensor::concat(slopes).reshape(prediction.shape());
                    return scaled(std::move(dp), scale, dy);
                  }}});
}

}  // namespace autograd
