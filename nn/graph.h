/// Which parameters the ops of a graph read.
#pragma once
#include <map>

#include "nn/module.h"

namespace nn {

/// By the order of each op below `root` that reads parameters of `module`: those parameters, as its inputs list them.
std::map<uint64_t, std::vector<Named<Variable>>> parameters_of_ops(Module& module, const Variable& root);

/// "backbone.encoder.0.conv1" -> "backbone", "encoder.0.conv1"; without a dot "" and the name.
std::pair<std::string, std::string> part_of_name(const std::string& name);

/// What a person wants to know of an op beside its name.
struct OpPlace {
  std::string layer;               ///< whose parameters it reads: "encoder.0.conv1"; empty: none
  bool relu = false;               ///< the op applies it in the same pass
  std::vector<std::string> joins;  ///< of inputs side by side, the layer that each comes from: a skip connection
};
/// By the order of each op below `root`. To be asked before backward(), which releases the graph.
std::map<uint64_t, OpPlace> places_of_ops(Module& module, const Variable& root);

}  // namespace nn
