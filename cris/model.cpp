/// The composed model.
#include "cris/model.h"

#include "nn/precision.h"

namespace cris {

Model::Model(const ModelOptions& o) : options(o), backbone(make_backbone(o.backbone)) {
  if (o.strategy == Strategy::fcn || o.strategy == Strategy::cris) refiner.emplace(o.refiner);
  if (o.strategy == Strategy::crf) crf.emplace(o.crf);
}

Outputs Model::operator()(Variable image, const ForwardOptions& forward) {
  const tensor::Tensor guide = crf && forward.refine ? image.value() : tensor::Tensor();
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

void Model::visit(nn::Visitor& v) {
  v.module("backbone", *backbone);
  if (refiner) v.module("refiner", *refiner);
  if (crf) v.module("crf", *crf);
}

}  // namespace cris
