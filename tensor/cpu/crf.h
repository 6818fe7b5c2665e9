/// The Gaussian filters of the cpu backend. Same bits for any number of threads.
#pragma once
#include "tensor/backend.h"

namespace tensor::cpu {

/// Backend::lattice_gaussian, f32 and f64: in the order of the reference, sum for sum.
void lattice_gaussian(const Lattice& lattice, const GaussianPass& pass, const Tensor& x, const Tensor& y);
/// Backend::exact_gaussian, f32.
void exact_gaussian(const Tensor& features, const GaussianPass& pass, const Tensor& x, const Tensor& y);

}  // namespace tensor::cpu
