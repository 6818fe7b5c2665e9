/// The kernels of the contract as a table of cases that every backend is held to: what they are given and what is made
/// of it.
#pragma once
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "tensor/ops.h"

namespace kernel_cases {

using namespace tensor;

using Tensors = std::vector<Tensor>;
/// Inputs in [-1, 1) of these shapes, and what is computed from them on whatever device they lie.
struct Case {
  std::string name;
  std::vector<Shape> inputs;
  std::function<Tensors(const Tensors&)> run;
  std::set<size_t> parameters = {};  ///< inputs that stay f32 beside images of bf16
};

inline const std::vector<int64_t> kChannels = {1, 2, 3, 7, 16, 17, 33, 64, 65, 300};

double relative_error(const Tensor& got, const Tensor& want);
bool same_bits(const Tensor& a, const Tensor& b);
/// The case's inputs in f32, or its images in `images`, on `device`; their exact values in f64 on the reference.
struct Inputs {
  Tensors given, f64;
};
Inputs make_inputs(const Case& c, Device device, DType images = DType::f32);

std::vector<Case> elementwise(const std::vector<Shape>& shapes);
std::vector<Case> random(const std::vector<int64_t>& sizes);
std::vector<Case> sums_and_norms(const std::vector<int64_t>& channels);
std::vector<Case> pooling(const std::vector<int64_t>& channels);
std::vector<Case> resizing(const std::vector<int64_t>& channels);
std::vector<Case> classes(const std::vector<int64_t>& channels);
std::vector<Case> updates(const std::vector<int64_t>& sizes);
std::vector<Case> products();
/// Exact and on the lattice, both normalisations, with their transposes.
std::vector<Case> gaussian_filters();

}  // namespace kernel_cases
