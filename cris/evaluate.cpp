/// Evaluation.
#include "cris/evaluate.h"

#include <cmath>

#include "cris/nonfinite.h"

namespace cris {

Tensor probabilities(Model& model, const Tensor& image) {
  const autograd::NoGrad no_graph;
  const Outputs out = model(Variable(image));
  return tensor::cast(autograd::sigmoid(out.output).value(), tensor::DType::f32).to(tensor::Device::cpu);
}

Scores evaluate(Model& model, std::shared_ptr<data::SampleStore> store, tensor::Device device, int64_t batch,
                const MapObserver& observe) {
  model.train(false);
  model.fold_norms();
  Scores scores;
  data::Loader loader(store, {.batch = batch, .shuffle = false});
  loader.start(0);
  while (const auto b = loader.next(device)) {
    const Tensor p = probabilities(model, b->x);
    const Tensor mask = b->mask.to(tensor::Device::cpu);
    const int64_t pixels = p.size() / p.shape()[0];
    for (size_t i = 0; i < b->samples.size(); ++i) {
      const std::string& name = store->pair(b->samples[i]).name;
      const float* map = p.data<float>() + int64_t(i) * pixels;
      const float* truth = mask.data<float>() + int64_t(i) * pixels;
      for (int64_t k = 0; k < pixels; ++k) {
        if (std::isfinite(map[k])) continue;
        const std::string parameter = non_finite_parameter(model);
        throw NonFiniteError(
            fmt::format("the probability map of {} is not finite{}; use an earlier checkpoint or a lower learning rate",
                        store->pair(b->samples[i]).image,
                        parameter.empty() ? "" : fmt::format(": the weights {} are not finite", parameter)));
      }
      scores.add(name, map, truth, pixels);
      if (observe) observe(b->samples[i], map, truth);
    }
  }
  return scores;
}

}  // namespace cris
