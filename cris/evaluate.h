/// Runs a model over a part of the data and scores its probability maps.
#pragma once
#include <functional>

#include "cris/metrics.h"
#include "cris/model.h"
#include "data/loader.h"

namespace cris {

using tensor::Tensor;

/// Where probability maps meet masks: at the network's size, the masks resized and thresholded at one half; or at each
/// picture's own, the maps resized bilinearly.
enum class ScoreSize { network, picture };
constexpr auto names(ScoreSize) { return tensor::Names{"size of scores", {"network", "picture"}}; }

/// Told of each image: which pair of the store, its probability map and its mask, at the network's size, row-major.
using MapObserver = std::function<void(int64_t sample, const float* probability, const float* mask)>;

/// One map as it was scored: `height` x `width` values, row-major, the mask 0 or 1.
struct ScoredMap {
  std::string name;
  const float *probability, *mask;
  int64_t height, width;
};

/// Calls `tell` with the map of `pair`, [height, width] of 0..1, at the picture's own size: resized bilinearly, beside
/// the mask, 1 from data::kMaskThreshold on. What ScoredMap points to lives as long as the call. Throws FormatError.
void at_own_size(const data::Pair& pair, const float* map, int64_t height, int64_t width,
                 const std::function<void(const ScoredMap&)>& tell);

/// Probabilities of the final output, [N,H,W,1] f32 on the host's side. Evaluation mode, no graph.
Tensor probabilities(Model& model, const Tensor& image);

/// Scores of the final output for every pair, in the store's order, with dropout off and running statistics; batch
/// norms are folded into the convolutions. The model is left in evaluation mode. Throws NonFiniteError
/// (cris/nonfinite.h).
Scores evaluate(Model& model, std::shared_ptr<data::SampleStore> store, tensor::Device device, int64_t batch,
                const MapObserver& observe = {}, ScoreSize size = ScoreSize::network,
                const std::function<void(const ScoredMap&)>& scored = {});

}  // namespace cris
