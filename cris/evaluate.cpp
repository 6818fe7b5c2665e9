/// Batches in the order of the store, without a graph; each map is scored on the host as soon as it is there.
#include "cris/evaluate.h"

#include <algorithm>
#include <chrono>
#include <cmath>

#include "cris/nonfinite.h"
#include "data/transform.h"

namespace cris {

Tensor probabilities(Model& model, const Tensor& image) {
  const autograd::NoGrad no_graph;
  const Outputs out = model(Variable(image));
  return tensor::cast(autograd::sigmoid(out.output).value(), tensor::DType::f32).to(tensor::Device::cpu);
}

void at_own_size(const data::Pair& pair, const float* map, int64_t height, int64_t width,
                 const std::function<void(const ScoredMap&)>& tell) {
  const data::Image mask = data::read_pair(pair).mask;
  const Tensor small =
      Tensor::from(std::vector<float>(map, map + height * width), {1, height, width, 1}, tensor::Device::cpu);
  const Tensor own = tensor::resize(small, mask.height, mask.width, tensor::ResizeMode::bilinear_centers);
  std::vector<float> truth;
  for (const uint8_t v : mask.pixels) truth.push_back(v >= data::kMaskThreshold ? 1 : 0);
  tell({pair.name, own.data<float>(), truth.data(), mask.height, mask.width});
}

Scores evaluate(Model& model, std::shared_ptr<data::SampleStore> store, tensor::Device device, int64_t batch,
                const MapObserver& observe, ScoreSize size, const std::function<void(const ScoredMap&)>& scored) {
  model.train(false);
  model.fold_norms();
  Scores scores;
  const auto score = [&](const ScoredMap& m) {
    scores.add(m.name, m.probability, m.mask, m.height * m.width);
    if (scored) scored(m);
  };
  data::Loader loader(store, {.batch = batch, .shuffle = false});
  loader.start(0);
  while (const auto b = loader.next(device)) {
    const auto begin = std::chrono::steady_clock::now();
    const Tensor p = probabilities(model, b->x);
    scores.network_seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    const Tensor mask = b->mask.to(tensor::Device::cpu);
    const int64_t pixels = p.size() / p.shape()[0];
    for (size_t i = 0; i < b->samples.size(); ++i) {
      const std::string& name = store->pair(b->samples[i]).name;
      const float* map = p.data<float>() + int64_t(i) * pixels;
      const float* truth = mask.data<float>() + int64_t(i) * pixels;
      if (!std::all_of(map, map + pixels, [](float v) { return std::isfinite(v); })) {
        const std::string parameter = non_finite_parameter(model);
        throw NonFiniteError(
            fmt::format("the probability map of {} is not finite{}; use an earlier checkpoint or a lower learning rate",
                        store->pair(b->samples[i]).image,
                        parameter.empty() ? "" : fmt::format(": the weights {} are not finite", parameter)));
      }
      if (size == ScoreSize::picture)
        at_own_size(store->pair(b->samples[i]), map, store->height(), store->width(), score);
      else
        score({name, map, truth, store->height(), store->width()});
      if (observe) observe(b->samples[i], map, truth);
    }
  }
  return scores;
}

}  // namespace cris
