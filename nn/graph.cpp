/// Goes back over the recorded edges from a result, each node once.
#include "nn/graph.h"

#include <set>
#include <string_view>

#include "nn/norm.h"

namespace nn {

namespace {

/// Calls look(node) for the node of `root` and all below it, once each.
template <class Look>
void for_each_node(const Variable& root, Look look) {
  std::vector<const autograd::Node*> todo{root.node().get()};
  std::set<const autograd::Node*> seen(todo.begin(), todo.end());
  while (!todo.empty()) {
    const autograd::Node* node = todo.back();
    todo.pop_back();
    look(*node);
    for (const auto& edge : node->inputs)
      if (seen.insert(edge.input.get()).second) todo.push_back(edge.input.get());
  }
}

/// A parameter in the type that an op computes in.
bool is_cast_of_leaf(const autograd::Node& node) {
  return std::string_view(node.op) == "cast" && node.inputs.size() == 1 && node.inputs[0].input->inputs.empty();
}

}  // namespace

std::map<uint64_t, std::vector<Named<Variable>>> parameters_of_ops(Module& module, const Variable& root) {
  std::map<const autograd::Node*, Named<Variable>> named;
  for (const auto& p : module.parameters()) named.emplace(p.value->node().get(), p);
  std::map<uint64_t, std::vector<Named<Variable>>> found;
  for_each_node(root, [&](const autograd::Node& node) {
    if (is_cast_of_leaf(node)) return;
    for (const auto& edge : node.inputs) {
      const autograd::Node* input = edge.input.get();
      if (const auto p = named.find(is_cast_of_leaf(*input) ? input->inputs[0].input.get() : input); p != named.end())
        found[node.order].push_back(p->second);
    }
  });
  return found;
}

std::map<uint64_t, OpPlace> places_of_ops(Module& module, const Variable& root) {
  std::map<uint64_t, OpPlace> places;
  std::set<const autograd::Node*> leaves;
  for (const auto& p : module.parameters()) leaves.insert(p.value->node().get());
  for (const auto& [order, parameters] : parameters_of_ops(module, root)) {
    const std::string& name = parameters.front().name;
    places[order].layer = name.substr(0, name.find_last_of('.'));
  }
  for (const auto& m : module.modules())
    if (const auto* norm = dynamic_cast<const BatchNorm2d*>(m.value))
      for (auto& [order, place] : places)
        if (place.layer == m.name) place.relu = norm->options.activation == tensor::Activation::relu;
  const auto is_parameter = [&](const autograd::Node& node) {
    return leaves.contains(&node) || (is_cast_of_leaf(node) && leaves.contains(node.inputs[0].input.get()));
  };
  // The layer that a value comes from: its op's, or that of the op before.
  const auto source = [&](const autograd::Node* node) -> std::string {
    while (true) {
      if (const auto at = places.find(node->order); at != places.end() && !at->second.layer.empty())
        return at->second.layer;
      const autograd::Node* before = nullptr;
      for (const auto& edge : node->inputs)
        if (!is_parameter(*edge.input)) before = edge.input.get();
      if (!before) return "the image";
      node = before;
    }
  };
  for_each_node(root, [&](const autograd::Node& node) {
    std::vector<std::string> from;
    for (const auto& edge : node.inputs)
      if (!is_parameter(*edge.input)) from.push_back(source(edge.input.get()));
    if (from.size() > 1) places[node.order].joins = from;
  });
  return places;
}

std::pair<std::string, std::string> part_of_name(const std::string& name) {
  const size_t dot = name.find('.');
  return dot == std::string::npos ? std::pair{std::string(), name}
                                  : std::pair{name.substr(0, dot), name.substr(dot + 1)};
}

}  // namespace nn
