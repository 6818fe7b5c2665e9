/// What a model is made of, learnt by running it on Device::plan: shapes, parameters, arithmetic and memory before
/// anything is computed.
#pragma once
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cris/run/experiment.h"
#include "tensor/machine/allocator.h"

namespace cris {

struct LayerRow {
  std::string name, op;            ///< of an op without parameters the name is empty
  std::vector<std::string> joins;  ///< the layers whose outputs it reads side by side: skip connections
  bool relu = false;               ///< it applies ReLU in the same pass
  tensor::Shape output;
  int64_t parameters = 0;
  double macs = 0;               ///< multiply-accumulates of its forward pass
  int64_t activation_bytes = 0;  ///< of its output
};

struct ModelSummary {
  std::vector<LayerRow> layers;
  int64_t parameters = 0, backbone_parameters = 0;
  double macs = 0;                                  ///< of one forward pass of the batch
  int64_t training_bytes = 0, inference_bytes = 0;  ///< peak of the arena: weights, gradients, moments, activations
  /// To resume a run: its weights and moments, and beside them the file that they are read from.
  int64_t resume_bytes = 0;
  int64_t kept_bytes = 0;  ///< of training_bytes: the filters of images that strategy crf keeps for later epochs
  int64_t more_for_each_image = 0;  ///< the same of one image, where their number is not known
};

/// For a batch of train.batch images of data.size. With `data`, the filters that strategy crf keeps are counted, each
/// as large as those of a few training images; without it, those of a batch, as large as a typical photograph's.
ModelSummary summarize(const Config& config, const ExperimentData* data = nullptr);
enum class Purpose { train, predict };
/// What `purpose` with `config` would take, and the largest batch that `limit_bytes` of memory hold: "batch 8 needs
/// about 5.1 GB to train; batch 2 needs 1.4 GB and fits". `refused_bytes`: the size of the tensor for which there was
/// no room. If by the plan the batch fits all the same, the difference is put down to memory that the plan
/// underestimates (a CRF's filters), and grows with the batch.
std::string memory_advice(const Config& config, int64_t limit_bytes, int64_t refused_bytes = 0,
                          Purpose purpose = Purpose::train);
/// Throws ConfigError with that advice when training batches of at most `images` images is planned to take more than
/// the memory of the device.
void require_memory(const Config& config, int64_t images);
/// What f() returns; where it runs out of memory throws ConfigError that names the tensor and ends with that advice.
template <class F>
auto with_memory_advice(const Config& config, Purpose purpose, F f) {
  try {
    return f();
  } catch (const tensor::OutOfMemory& e) {
    throw ConfigError(std::string(e.what()) + ". " + memory_advice(config, e.limit, e.asked, purpose));
  }
}
/// 31037633 -> "31,037,633"
std::string grouped(int64_t n);
/// In 80 columns.
std::string summary_text(const ModelSummary& s, const Config& config);
nlohmann::ordered_json summary_json(const ModelSummary& s, const Config& config);

}  // namespace cris
