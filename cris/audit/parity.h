/// Compares what this program computes with what PyTorch computed: folders of cases, one safetensors file each.
///
/// A file's metadata names an `op` and its `options` (JSON); tensors are called input.NAME, output.NAME, cotangent.NAME
/// (dL/d output) and grad.NAME (dL/d input), in PyTorch's layouts. docs/reference/parity.md lists the ops and their
/// options.
#pragma once
#include <functional>
#include <string>

#include "tensor/backend.h"
#include "tensor/precision.h"

namespace cris {

struct ParityOptions {
  tensor::Device device = tensor::Device::reference;
  tensor::DType dtype = tensor::DType::f64;
  tensor::Precision precision = tensor::Precision::f32;  ///< of f32; set process-wide while the cases run
  std::string only = {};                                 ///< run only cases whose name contains this
  std::string write_folder = {};  ///< when set: save what was computed there, under the same names
};

struct ParityResult {
  std::string name;
  double error = 0;    ///< worst ||ours - theirs|| / max(||theirs||, 1e-12) over the case's tensors
  std::string tensor;  ///< the tensor it is in
  bool passed = false;
  std::string note;     ///< set when the tolerance had to be that of an ill-conditioned case, see run_parity
  std::string failure;  ///< why nothing could be compared: an op or option that this program lacks, a damaged file
};

/// Runs every *.safetensors file of `folder`, by name, handing each result to `report` as it comes.
/// A tensor passes below 1e-9 (gradients and trained values 1e-8) in f64, 2e-5 (models 1e-3) in f32, 1e-3 (models 5e-2)
/// with tf32 and 1e-2 (models 2e-1) with bf16, whose products round their operands to 2^-11 and 2^-8. A network, and in
/// bf16 an op, may be so ill-conditioned that a precision cannot resolve it (a ReLU or maximum that hangs by a
/// rounding, a sum that cancels): then a tensor passes below twice what it moves in f64 when the case's numbers move by
/// 2^-20 (tf32: 2^-10, bf16: 2^-7), and the result's note says so. Throws Error when tf32 or bf16 is asked of another
/// device than cuda or of f64, or when the folder cannot be read or holds no case that is asked for. Cases that fail do
/// not throw.
void run_parity(const std::string& folder, const ParityOptions& options,
                const std::function<void(const ParityResult&)>& report);

}  // namespace cris
