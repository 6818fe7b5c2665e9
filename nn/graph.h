/// Which parameters the ops of a graph read.
#pragma once
#include <map>

#include "nn/module.h"

namespace nn {

/// By the order of each op below `root` that reads parameters of `module`: those parameters, as its inputs list them.
std::map<uint64_t, std::vector<Named<Variable>>> parameters_of_ops(Module& module, const Variable& root);

}  // namespace nn
