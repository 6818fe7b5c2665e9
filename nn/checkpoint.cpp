/// Weights are written in PyTorch's layouts under PyTorch's names, and turned into ours when they are read.
#include "nn/checkpoint.h"

#include <functional>
#include <set>

namespace nn {

using tensor::require;
using tensor::Shape;

namespace {

const std::string kOptimizer = "optimizer.";

/// Extents of a tensor of `shape` in the file's layout.
std::vector<int64_t> stored_extents(const Shape& s) {
  if (s.rank() == 4) return {s[0], s[3], s[1], s[2]};
  return {s.begin(), s.end()};
}

/// What does not fit, collected so that one message tells all.
struct Mismatch {
  std::vector<std::string> missing, unexpected, misshapen;

  /// The entry called `name` if its extents are right, else null.
  const StoredTensor* find(const SafeTensors& file, const std::string& name, const std::vector<int64_t>& extents,
                           bool whole_number) {
    const auto at = file.tensors.find(name);
    if (at == file.tensors.end()) {
      missing.push_back(name);
      return nullptr;
    }
    const StoredTensor& t = at->second;
    if (t.extents != extents)
      misshapen.push_back(
          fmt::format("{} is [{}], [{}] is needed", name, fmt::join(t.extents, ", "), fmt::join(extents, ", ")));
    else if ((t.dtype == "I64") != whole_number || t.dtype == "I32" || t.dtype == "U8")
      misshapen.push_back(fmt::format("{} holds {}", name, t.dtype));
    else
      return &t;
    return nullptr;
  }
  bool any() const { return !missing.empty() || !unexpected.empty() || !misshapen.empty(); }
  static std::string list(const char* what, const std::vector<std::string>& names) {
    if (names.empty()) return "";
    constexpr size_t kShown = 5;
    const std::vector<std::string> first(names.begin(), names.begin() + ptrdiff_t(std::min(kShown, names.size())));
    return fmt::format("; {} {}: {}{}", names.size(), what, fmt::join(first, ", "),
                       names.size() > kShown ? ", ..." : "");
  }
  std::string text() const {
    return list("missing", missing) + list("unexpected", unexpected) + list("of another shape or type", misshapen);
  }
};

/// Calls take(name, extents in the file, whether it is a count, assign) for each parameter, buffer and counter;
/// assign(t) gives it the values of a stored tensor.
template <class Take>
void for_each_entry(Module& module, Take take) {
  for (const auto& p : module.parameters())
    take(p.name, stored_extents(p.value->shape()), false,
         [v = p.value](const StoredTensor& t) { v->set_value(t.to_tensor(v->value().dtype(), v->value().device())); });
  for (const auto& b : module.buffers())
    take(b.name, stored_extents(b.value->shape()), false,
         [v = b.value](const StoredTensor& t) { *v = t.to_tensor(v->dtype(), v->device()); });
  for (const auto& c : module.counters())
    take(c.name, {}, true, [v = c.value](const StoredTensor& t) { *v = int64_t(t.values()[0]); });
}

/// The optimiser's state in `file`, grouped by parameter.
std::map<std::string, ParameterState> optimizer_state(const SafeTensors& file, const Optimizer& optimizer,
                                                      Mismatch& mismatch, std::set<std::string>& used) {
  std::map<std::string, ParameterState> state;
  for (const auto& p : optimizer.parameters()) {
    const std::string step_name = kOptimizer + "step." + p.name;
    if (!file.tensors.count(step_name)) continue;
    const Tensor& w = p.value->value();
    ParameterState s;
    used.insert(step_name);
    if (const auto* t = mismatch.find(file, step_name, {}, true)) s.step = int64_t(t->values()[0]);
    for (const auto& moment : optimizer.moment_names()) {
      const std::string name = kOptimizer + moment + "." + p.name;
      used.insert(name);
      if (const auto* t = mismatch.find(file, name, stored_extents(w.shape()), false))
        s.moments.push_back(t->to_tensor(w.dtype(), w.device()));
    }
    state[p.name] = std::move(s);
  }
  return state;
}

/// All that a checkpoint holds.
std::vector<Source> blocks_of(Module& module, const Optimizer* optimizer) {
  std::vector<Source> blocks;
  const auto add = [&](const std::string& name, const Tensor& t) {
    blocks.push_back({name, stored_type(t.dtype()), stored_extents(t.shape()), [t] { return stored(t); }});
  };
  const auto count = [&](const std::string& name, int64_t n) {
    blocks.push_back({name, "I64", {}, [n] { return stored(std::vector<int64_t>{n}, {}); }});
  };
  for (const auto& p : module.parameters()) add(p.name, p.value->value());
  for (const auto& b : module.buffers()) add(b.name, *b.value);
  for (const auto& c : module.counters()) count(c.name, *c.value);
  if (!optimizer) return blocks;
  for (const auto& [name, state] : optimizer->state()) {
    for (size_t i = 0; i < state.moments.size(); ++i)
      add(kOptimizer + optimizer->moment_names()[i] + "." + name, state.moments[i]);
    count(kOptimizer + "step." + name, state.step);
  }
  return blocks;
}

}  // namespace

SafeTensors checkpoint_of(Module& module, const Optimizer* optimizer, const Metadata& metadata) {
  SafeTensors file{metadata, {}};
  for (const Source& block : blocks_of(module, optimizer)) file.tensors[block.name] = block.make();
  return file;
}

void apply_checkpoint(const SafeTensors& file, const std::string& origin, Module& module, Optimizer* optimizer) {
  Mismatch mismatch;
  std::set<std::string> used;
  std::vector<std::function<void()>> changes;
  for_each_entry(module, [&](const std::string& name, const std::vector<int64_t>& extents, bool count, auto assign) {
    used.insert(name);
    if (const auto* t = mismatch.find(file, name, extents, count)) changes.push_back([assign, t] { assign(*t); });
  });
  std::map<std::string, ParameterState> state;
  if (optimizer) state = optimizer_state(file, *optimizer, mismatch, used);
  for (const auto& [name, t] : file.tensors)
    if (!used.count(name) && (optimizer || name.rfind(kOptimizer, 0) != 0)) mismatch.unexpected.push_back(name);
  require(mismatch.missing.empty() || !file.tensors.count("module." + mismatch.missing.front()),
          "{}: its names begin with \"module.\", as those of a network wrapped by torch.nn.DataParallel do; save "
          "model.module.state_dict() instead of model.state_dict()",
          origin);
  require(!mismatch.any(), "{} does not fit this network{}. Use the configuration that it was trained with", origin,
          mismatch.text());
  for (auto& m : module.modules()) m.value->set_folded(false);
  if (optimizer) optimizer->set_state(std::move(state));
  for (auto& change : changes) change();
}

Matching apply_matching(const SafeTensors& file, Module& module) {
  Matching m;
  std::set<std::string> used;
  for (auto& part : module.modules()) part.value->set_folded(false);
  for_each_entry(module, [&](const std::string& name, const std::vector<int64_t>& extents, bool count, auto assign) {
    Mismatch mismatch;
    const StoredTensor* t = mismatch.find(file, name, extents, count);
    if (!t) return m.missing.push_back(name);
    assign(*t);
    used.insert(name);
    ++m.taken;
  });
  for (const auto& [name, t] : file.tensors)
    if (!used.contains(name) && !name.starts_with(kOptimizer)) m.unused.push_back(name);
  return m;
}

void save_checkpoint(const std::string& path, Module& module, const Optimizer* optimizer, const Metadata& metadata) {
  write_safetensors(path, metadata, blocks_of(module, optimizer));
}

Metadata load_checkpoint(const std::string& path, Module& module, Optimizer* optimizer) {
  SafeTensors file = read_safetensors(path);
  apply_checkpoint(file, path, module, optimizer);
  return std::move(file.metadata);
}

}  // namespace nn
