/// Checkpoints: a module, and if wanted its optimiser, in a safetensors file under PyTorch's state_dict names.
#pragma once
#include <map>
#include <string>

#include "nn/module.h"
#include "nn/optimizer.h"
#include "nn/safetensors.h"

namespace nn {

using Metadata = std::map<std::string, std::string>;

/// Parameters, buffers and counters of `module`; with an optimiser also `optimizer.MOMENT.NAME` and
/// `optimizer.step.NAME`. Without one, PyTorch's load_state_dict takes the file as it is.
SafeTensors checkpoint_of(Module& module, const Optimizer* optimizer, const Metadata& metadata);
/// Puts the file's values into `module` (and the optimiser), on the devices and in the dtypes that they have.
/// Throws one Error listing missing, unexpected and misshapen tensors, and then has changed nothing. Entries
/// `optimizer.*` are ignored when `optimizer` is null. `origin` names the file in errors.
void apply_checkpoint(const SafeTensors& file, const std::string& origin, Module& module, Optimizer* optimizer);

/// What a file and a module have in common.
struct Matching {
  int64_t taken = 0;                         ///< tensors
  std::vector<std::string> missing, unused;  ///< of the module and not in the file, or the other way; or misshapen
};
/// As apply_checkpoint, but only what has the same name, shape and kind in both; optimiser state is left out.
Matching apply_matching(const SafeTensors& file, Module& module);

/// Writes atomically: after a crash the old file or the new one is there, never a part.
void save_checkpoint(const std::string& path, Module& module, const Optimizer* optimizer = nullptr,
                     const Metadata& metadata = {});
/// Reads, checks and applies; returns the metadata.
Metadata load_checkpoint(const std::string& path, Module& module, Optimizer* optimizer = nullptr);

}  // namespace nn
