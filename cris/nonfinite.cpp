/// The non-finite guard. A sum is finite exactly when no value is NaN or infinite (an f32 sum is taken in f64), so that
/// one pass over a tensor tells.
#include "cris/nonfinite.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "data/files.h"
#include "nn/checkpoint.h"
#include "nn/graph.h"

namespace cris {

using tensor::Tensor;

namespace {

bool finite(const Tensor& t) {
  if (t.dtype() == tensor::DType::i32 || t.dtype() == tensor::DType::u8) return true;
  return std::ranges::all_of(t.to_vector(), [](double v) { return std::isfinite(v); });
}

/// "the layer encoder.0.conv1" of an op, or the last layer before it.
std::string layer_name(const std::map<uint64_t, std::vector<nn::Named<Variable>>>& parameters, uint64_t order) {
  const auto next = parameters.upper_bound(order);
  if (next == parameters.begin()) return "before the first layer";
  const auto& [at, read] = *std::prev(next);
  const std::string& parameter = read.front().name;
  const std::string layer = parameter.substr(0, parameter.find_last_of('.'));
  return at == order ? "layer " + layer : "after layer " + layer;
}

/// The name of the first tensor that is not finite; the sums of all travel to the host together, so that a device is
/// waited for once.
std::string first_non_finite(const std::vector<std::pair<std::string, Tensor>>& tensors) {
  if (tensors.empty()) return "";
  std::vector<Tensor> sums;
  for (const auto& [name, t] : tensors) sums.push_back(tensor::sum(t));
  const std::vector<double> values = tensor::concat(sums).to_vector();
  for (size_t i = 0; i < values.size(); ++i)
    if (!std::isfinite(values[i]) && !finite(tensors[i].second)) return tensors[i].first;
  return "";
}

}  // namespace

std::string non_finite_parameter(nn::Module& model) {
  std::vector<std::pair<std::string, Tensor>> all;
  for (const auto& p : model.parameters()) all.emplace_back(p.name, p.value->value());
  for (const auto& b : model.buffers()) all.emplace_back(b.name, *b.value);
  return first_non_finite(all);
}

std::string non_finite_gradient(nn::Module& model) {
  std::vector<std::pair<std::string, Tensor>> all;
  for (const auto& p : model.parameters())
    if (p.value->grad().defined()) all.emplace_back(p.name, p.value->grad());
  return first_non_finite(all);
}

void report_non_finite(Model& model, const data::Batch& batch, const std::string& files,
                       const std::function<Variable()>& loss, const std::string& dump) {
  data::create_folder(std::filesystem::path(dump).parent_path().string());
  nn::SafeTensors evidence = nn::checkpoint_of(model, nullptr, {{"files", files}});
  evidence.tensors["batch.image"] = nn::stored(batch.x);
  evidence.tensors["batch.mask"] = nn::stored(batch.mask);
  nn::write_safetensors(dump, evidence);

  std::string where;
  const std::string parameter = non_finite_parameter(model);
  if (!finite(batch.x))
    where = "the input image";
  else if (!parameter.empty())
    where = fmt::format("the weights: {} is not finite before the step", parameter);
  if (where.empty()) {
    std::string op;
    uint64_t order = 0;
    bool in_gradient = false;
    const auto before = autograd::set_observer([&](const autograd::Observed& o) {
      if (op.empty() && !finite(o.result)) op = o.op, order = o.order, in_gradient = o.gradient;
    });
    model.zero_grad();
    const Variable value = loss();
    const auto layers = nn::parameters_of_ops(model, value);
    if (op.empty()) autograd::backward(value);
    autograd::set_observer(before);
    const std::string gradient = non_finite_gradient(model);
    if (!op.empty())
      where = fmt::format("the {} of op {}, {}", in_gradient ? "gradient" : "result", op, layer_name(layers, order));
    else if (!gradient.empty())
      where = "the gradient of " + gradient;
    else
      where = "the update of the weights";
  }
  throw NonFiniteError(
      fmt::format("a value is not finite: {}; images {}; tensors written to {}. Lower train.learning_rate or look at "
                  "these images; the last good checkpoint is kept",
                  where, files, dump));
}

}  // namespace cris
