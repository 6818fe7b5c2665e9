/// op = model: evaluation, losses, gradients and training steps of a whole network, from the parameters in the file.
#include "cris/audit/parity_case.h"
#include "cris/training_step.h"
#include "nn/checkpoint.h"

namespace cris {

namespace {

using tensor::require;

/// The starting point in the file, as a checkpoint.
nn::SafeTensors start_of(const ParityCase& c, nn::Module& model) {
  nn::SafeTensors start;
  for (const auto& [name, t] : c.file().tensors)
    if (name.starts_with("param.") || name.starts_with("buffer.")) start.tensors[name.substr(name.find('.') + 1)] = t;
  // The count of batches changes nothing that is compared; files may leave it out.
  for (const auto& count : model.counters())
    start.tensors.try_emplace(count.name, nn::stored(std::vector<int64_t>{0}, {}));
  return start;
}

void record_masks(ParityCase& c, const std::string& prefix, const Model& model, const Outputs& out) {
  c.computed(prefix + "backbone", autograd::sigmoid(out.mask).value());
  if (model.options.strategy != Strategy::backbone)
    c.computed(prefix + "refined", autograd::sigmoid(out.output).value());
}

void record_evaluation(ParityCase& c, const std::string& prefix, Model& model, const Variable& image) {
  const autograd::NoGrad off;
  model.train(false);
  record_masks(c, prefix, model, model(image));
}

}  // namespace

void evaluate_model(ParityCase& c) {
  ModelOptions options;
  options.backbone.kind = tensor::parse<BackboneKind>(c.option<std::string>("model"));
  options.backbone.base = c.option<int64_t>("base");
  options.backbone.in_channels = c.stored("image").extents.size() == 4 ? c.stored("image").extents[1] : 3;
  options.strategy = tensor::parse<Strategy>(c.option<std::string>("strategy", "cris"));
  options.refiner.channels = c.option<int64_t>("refiner_channels", options.refiner.channels);
  options.refiner.kernels = c.option<std::vector<int64_t>>("refiner_kernels", options.refiner.kernels);
  options.refiner.dropout = c.option<double>("dropout", 0.0);
  const auto steps = c.option<int64_t>("steps", 0);
  const auto rate = c.option<double>("learning_rate", 1e-3);
  require(options.refiner.dropout == 0,
          "option dropout = {} is not supported: another program's masks cannot be repeated", options.refiner.dropout);

  Model model(options);
  model.to(c.dtype());
  model.to(c.device());
  const nn::SafeTensors start = start_of(c, model);
  const auto restart = [&] {
    nn::apply_checkpoint(start, "the case", model, nullptr);
    model.zero_grad();
  };
  const Variable image(c.tensor("image"));
  const tensor::Tensor mask = c.tensor("mask");

  restart();
  record_evaluation(c, "eval.", model, image);

  model.train();
  for (const Loss loss : {Loss::mask_mse, Loss::output_bce}) {
    restart();
    const Outputs out = model(image);
    const Variable value = loss_value(loss, {}, out.mask, out.output, mask);
    const std::string label = loss == Loss::mask_mse ? "mse" : "bce";
    c.computed("loss." + label, value.value());
    record_masks(c, "output.", model, out);
    autograd::backward(value);
    for (const auto& p : model.parameters())
      if (p.value->grad().defined()) c.computed("grad." + label + "." + p.name, p.value->grad());
  }

  restart();
  nn::Adam optimizer(model);
  std::vector<double> losses;
  const StepOptions step{.strategy = options.strategy, .cris = {.alternate = Alternate::batch}};
  for (int64_t s = 0; s < steps; ++s)
    losses.push_back(training_step(model, optimizer, step, {.batch = s}, image.value(), mask, rate));
  c.computed("train.losses", nn::stored(losses, {steps}));
  record_evaluation(c, "train.eval_", model, image);
}

}  // namespace cris
