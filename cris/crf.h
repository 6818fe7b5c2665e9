/// Strategy crf: a mean-field CRF guided by the image, as the last layer of a network.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>

#include "autograd/ops.h"
#include "nn/init.h"
#include "nn/module.h"

namespace cris {

struct CrfOptions {
  double theta_alpha = 0;  ///< pixels; positions of the bilateral kernel. 0: 160 width / 500
  double theta_beta = 3;   ///< colours of the bilateral kernel, of 0..255
  double theta_gamma = 3;  ///< pixels; the spatial kernel
  /// Initial weights of the two kernels. Up to a sum of 2 an unsure pixel stays unsure: docs/reference/choices.md.
  double spatial_weight = 1, bilateral_weight = 1;
  int64_t training_iterations = 5, evaluation_iterations = 10;
  tensor::GaussianKind kind = tensor::GaussianKind::permutohedral;
  tensor::Normalisation normalisation = tensor::Normalisation::row;
  int64_t labels = 2;
  int64_t cache_bytes = int64_t(1) << 30;  ///< memory for the bilateral filters that are kept; 0 keeps none
};

/// q = mean field of the backbone's logits (autograd::mean_field).
/// spatial_weight, bilateral_weight, compatibility: [labels, labels], trained, initially those of the options times I,
/// and -I. Source: Zheng et al. 2015; the initial values are ours.
class Crf : public nn::Module {
 public:
  /// Throws on thetas or weights < 0, iterations < 1, labels < 2.
  explicit Crf(const CrfOptions& options = {});
  /// logits: [N,H,W,1], or [N,H,W,labels]; image: [N,H,W,3] in 0..1, moved to the logits' dtype and device. Runs
  /// training_iterations or evaluation_iterations, as the mode says; the result has logits' shape.
  autograd::Variable operator()(const autograd::Variable& logits, const tensor::Tensor& image);
  /// The same after a given number of iterations.
  autograd::Variable after(int iterations, const autograd::Variable& logits, const tensor::Tensor& image);
  /// The bilateral filter of each image of a batch as above: the one that was kept, or a new one.
  autograd::Filters bilateral_filters(const tensor::Tensor& image);
  /// Bilateral filters that are kept, and their memory.
  int64_t kept_filters() const { return int64_t(kept_.size()); }
  int64_t kept_bytes() const { return kept_bytes_; }
  void visit(nn::Visitor& v) override;
  void initialize(const nn::Initializer& init, const std::string& path) override;
  const CrfOptions options;
  autograd::Variable spatial_weight, bilateral_weight, compatibility;

 private:
  using Filter = std::shared_ptr<const tensor::GaussianFilter>;
  /// Bilateral filters of images seen before, by the image's content, so that later epochs build nothing. Once there is
  /// no more room, new filters are used but not kept: epochs visit all images in turn, where dropping the oldest would
  /// keep none in time.
  std::unordered_map<uint64_t, Filter> kept_;
  int64_t kept_bytes_ = 0;
  Filter spatial_;  // of the last size, dtype and device
  std::string spatial_key_;
  Filter spatial_filter(const tensor::Tensor& image);
};

}  // namespace cris
