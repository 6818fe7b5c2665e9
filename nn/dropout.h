/// Element-wise dropout whose mask is a function of (seed, layer, step), so that a resumed run drops the same elements.
#pragma once
#include <optional>

#include "nn/hash.h"
#include "nn/module.h"

namespace nn {

/// y = x / (1 - p) with probability 1 - p, else 0, in training; y = x in evaluation.  Source: Srivastava et al. 2014.
class Dropout : public Module {
 public:
  explicit Dropout(double p) : p_(p) {}
  /// Throws in training when p > 0 and no key was set, or p is outside [0, 1).
  Variable operator()(const Variable& x) const {
    if (!training() || p_ == 0) return x;
    tensor::check(key_.has_value(), "Dropout: no random key; call nn::set_random_step before each training step");
    return autograd::dropout(x, p_, *key_);
  }
  void set_key(const tensor::RandomKey& key) { key_ = key; }
  void visit(Visitor&) override {}

 private:
  double p_;
  std::optional<tensor::RandomKey> key_;
};

/// Gives every dropout below the key (seed, hash of its dotted name, step): called before each training step.
inline void set_random_step(Module& module, uint64_t seed, uint32_t step) {
  for (auto& m : module.modules())
    if (auto* dropout = dynamic_cast<Dropout*>(m.value)) dropout->set_key({seed, stream_of(m.name), step});
}

}  // namespace nn
