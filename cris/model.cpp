/// The composed model: which network, what stands behind it, and the way of an image through both.
#include "cris/model.h"

#include "cris/segnet.h"
#include "cris/unet.h"
#include "cris/unet_plus_plus.h"
#include "nn/precision.h"

namespace cris {

std::unique_ptr<Backbone> make_backbone(const BackboneOptions& given) {
  BackboneOptions o = given;
  if (o.base == 0) o.base = default_base(o.kind);
  tensor::check(o.base > 0 && o.base <= 4096, "{}: base width {} is outside 1 to 4096", name(o.kind), o.base);
  tensor::check(!o.deep_supervision || o.kind == BackboneKind::unet_plus_plus,
                "{}: deep supervision is an option of unet++ only", name(o.kind));
  tensor::check(o.norm == NormKind::batch || o.kind == BackboneKind::unet, "{}: no norm is an option of unet only",
                name(o.kind));
  tensor::check(o.up == UpKind::bilinear || o.kind == BackboneKind::unet_plus_plus,
                "{}: transposed convolutions are an option of unet++ only", name(o.kind));
  switch (o.kind) {
    case BackboneKind::unet:
      return std::make_unique<UNet>(o);
    case BackboneKind::unet_plus_plus:
      return std::make_unique<UNetPlusPlus>(o);
    case BackboneKind::segnet:
      return std::make_unique<SegNet>(o);
  }
  throw tensor::Error("make_backbone: no such kind");
}

Model::Model(const ModelOptions& o) : options(o), backbone(make_backbone(o.backbone)) {
  if (o.strategy == Strategy::fcn || o.strategy == Strategy::cris) refiner.emplace(o.refiner);
  if (o.strategy == Strategy::crf) crf.emplace(o.crf);
  if (o.input == Input::standard) {
    std::vector<float> scale, shift;
    for (size_t c = 0; c < 3; ++c)
      scale.push_back(float(1 / kInputDeviation[c])), shift.push_back(float(-kInputMean[c] / kInputDeviation[c]));
    input_scale_ = tensor::Tensor::from(scale, {3}, tensor::Device::cpu);
    input_shift_ = tensor::Tensor::from(shift, {3}, tensor::Device::cpu);
  }
}

Outputs Model::operator()(Variable image, const ForwardOptions& forward) {
  const tensor::Tensor guide = crf && forward.refine ? image.value() : tensor::Tensor();
  if (input_scale_.defined())
    image = autograd::add(autograd::multiply(image, Variable(input_scale_)), Variable(input_shift_));
  const nn::RoundedWeights weights(*this);
  image = nn::to_activations(image);
  std::vector<Variable> logits = (*backbone)(std::move(image));
  for (Variable& l : logits) l = nn::from_activations(l);
  Outputs out;
  out.mask = std::move(logits.back());
  logits.pop_back();
  out.sides = std::move(logits);
  out.output = out.mask;
  if (refiner && forward.refine) {
    Variable probability = autograd::sigmoid(out.mask);
    if (forward.detach_refiner_input) probability = probability.detach();
    probability = nn::to_activations(probability);
    out.output = nn::from_activations((*refiner)(std::move(probability)));
  }
  if (crf && forward.refine) out.output = (*crf)(out.mask, guide);
  return out;
}

void start_training(Model& model, Freeze freeze) {
  model.train();
  nn::Module* frozen = nullptr;
  if (freeze == Freeze::backbone) frozen = model.backbone.get();
  if (freeze == Freeze::refiner) frozen = &model.refiner.value();
  if (!frozen) return;
  frozen->train(false);
  for (const auto& p : frozen->parameters()) p.value->set_requires_grad(false);
}

void Model::visit(nn::Visitor& v) {
  v.module("backbone", *backbone);
  if (refiner) v.module("refiner", *refiner);
  if (crf) v.module("crf", *crf);
  if (input_scale_.defined()) v.buffer("input_scale", input_scale_), v.buffer("input_shift", input_shift_);
}

}  // namespace cris
