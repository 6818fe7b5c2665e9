/// Goes back over the recorded edges from a result, each node once.
#include "nn/graph.h"

#include <set>

namespace nn {

std::map<uint64_t, std::vector<Named<Variable>>> parameters_of_ops(Module& module, const Variable& root) {
  std::map<const autograd::Node*, Named<Variable>> named;
  for (const auto& p : module.parameters()) named.emplace(p.value->node().get(), p);
  std::map<uint64_t, std::vector<Named<Variable>>> found;
  std::vector<const autograd::Node*> todo{root.node().get()};
  std::set<const autograd::Node*> seen(todo.begin(), todo.end());
  while (!todo.empty()) {
    const autograd::Node* node = todo.back();
    todo.pop_back();
    for (const auto& edge : node->inputs) {
      const autograd::Node* input = edge.input.get();
      if (const auto p = named.find(input); p != named.end()) found[node->order].push_back(p->second);
      if (seen.insert(input).second) todo.push_back(input);
    }
  }
  return found;
}

}  // namespace nn
