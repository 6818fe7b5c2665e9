/// Runs a model over a part of the data and scores its probability maps.
#pragma once
#include <functional>

#include "cris/metrics.h"
#include "cris/model.h"
#include "data/loader.h"

namespace cris {

using tensor::Tensor;

/// Told of each image: which pair of the store, its probability map and its mask (height x width, row-major).
using MapObserver = std::function<void(int64_t sample, const float* probability, const float* mask)>;

/// Probabilities of the final output, [N,H,W,1] f32 on the host's side. Evaluation mode, no graph.
Tensor probabilities(Model& model, const Tensor& image);

/// Scores of the final output for every pair, in the store's order, with dropout off and running statistics; batch
/// norms are folded into the convolutions. The model is left in evaluation mode. Throws NonFiniteError (cris/nonfinite.h).
Scores evaluate(Model& model, std::shared_ptr<data::SampleStore> store, tensor::Device device, int64_t batch,
                const MapObserver& observe = {});

}  // namespace cris
