/// The composed model: a backbone, and what its strategy puts behind it.
#pragma once
#include <array>
#include <memory>
#include <optional>

#include "cris/backbone.h"
#include "cris/crf.h"
#include "cris/refiner.h"
#include "cris/strategy.h"

namespace cris {

/// What the backbone reads: RGB / 255, or that less the mean of ImageNet's pictures by their deviation, each channel.
enum class Input { unit, standard };
inline constexpr std::array<double, 3> kInputMean{0.485, 0.456, 0.406}, kInputDeviation{0.229, 0.224, 0.225};  // R G B
constexpr auto names(Input) { return tensor::Names{"input", {"unit", "standard"}}; }

struct ModelOptions {
  BackboneOptions backbone;
  Strategy strategy = Strategy::cris;
  RefinerOptions refiner = {};  ///< of strategies fcn and cris
  CrfOptions crf = {};          ///< of strategy crf
  Input input = Input::unit;
};

/// What to compute of a forward pass.
struct ForwardOptions {
  bool refine = true;                 ///< false: the backbone only; the output is then its logits
  bool detach_refiner_input = false;  ///< the refined output's gradient stops at the refiner
};

/// Logits, each [N,H,W,1]; probabilities are their sigmoids.
struct Outputs {
  Variable mask;                ///< the backbone's
  Variable output;              ///< the final ones: the refiner's or the CRF's, or the backbone's where there is none
  std::vector<Variable> sides;  ///< of deep supervision's other heads, in training; usually empty
};

/// The network of that kind. Throws on a width or an option that it does not have.
std::unique_ptr<Backbone> make_backbone(const BackboneOptions& options);

/// Names: backbone.*, refiner.*, crf.*.
class Model : public nn::Module {
 public:
  /// Parameters are as their layers were made: call nn::initialize, with a seed, or load a checkpoint.
  explicit Model(const ModelOptions& options);
  /// image: [N,H,W,3], RGB / 255.
  Outputs operator()(Variable image, const ForwardOptions& forward = {});
  void visit(nn::Visitor& v) override;

  const ModelOptions options;
  const std::unique_ptr<Backbone> backbone;
  std::optional<Refiner> refiner;
  std::optional<Crf> crf;

 private:
  tensor::Tensor input_scale_, input_shift_;  // [3] each; undefined: the image as it is
};

/// What keeps its weights.
enum class Freeze { none, backbone, refiner };
constexpr auto names(Freeze) { return tensor::Names{"part to freeze", {"none", "backbone", "refiner"}}; }
/// Training mode; what is frozen keeps its weights and running statistics to the bit and drops nothing.
void start_training(Model& model, Freeze freeze);

}  // namespace cris
