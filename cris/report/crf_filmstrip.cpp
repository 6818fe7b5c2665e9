/// The film strip of the mean field.
#include "cris/report/crf_filmstrip.h"

#include <algorithm>

#include "cris/report/overlay.h"

namespace cris {

constexpr int64_t kMaxFrames = 12;

std::vector<int64_t> film_iterations(int64_t iterations) {
  std::vector<int64_t> shown;
  const int64_t count = std::min(iterations, kMaxFrames);
  for (int64_t k = 1; k <= count; ++k) shown.push_back(k * iterations / count);
  return shown;
}

data::Image film_strip(Model& model, tensor::Device device, const data::Image& image, const data::Image& mask,
                       double threshold) {
  tensor::check(model.crf.has_value(), "film_strip: strategy {} has no CRF", name(model.options.strategy));
  const autograd::NoGrad no_graph;
  std::vector<float> colours(image.pixels.begin(), image.pixels.end());
  for (float& c : colours) c /= 255.0f;
  const tensor::Tensor x = tensor::Tensor::from(colours, {1, image.height, image.width, 3}, device);
  const Variable unary = model(Variable(x), {.refine = false}).mask;
  const auto map = [&](const Variable& logits) {
    return tensor::cast(autograd::sigmoid(logits).value(), tensor::DType::f32).to(tensor::Device::cpu);
  };
  const auto gray = [&](const tensor::Tensor& p) {
    return probability_image(p.data<float>(), image.height, image.width);
  };
  std::vector<data::Image> frames{image, mask, gray(map(unary))};
  tensor::Tensor last;
  // Each is computed from the first on: of many iterations a few are shown.
  for (const int64_t k : film_iterations(model.crf->options.evaluation_iterations)) {
    last = map(model.crf->after(int(k), unary, x));
    frames.push_back(gray(last));
  }
  frames.push_back(mask_image(last.data<float>(), image.height, image.width, threshold));
  return beside(frames);
}

}  // namespace cris
