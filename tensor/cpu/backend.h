/// The fast host backend: inherits the reference and overrides what is worth speeding up, for f32; f64 goes to the
/// reference.
#pragma once
#include "tensor/reference/reference.h"

namespace tensor::cpu {

class CpuBackend : public ReferenceBackend {
 public:
  // crf_exact.cpp, crf.cpp
  void exact_gaussian(const Tensor& features, const GaussianPass& pass, const Tensor& x, const Tensor& y) override;
  void lattice_gaussian(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y) override;
};

}  // namespace tensor::cpu
