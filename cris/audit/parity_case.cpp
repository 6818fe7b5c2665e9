/// A case is a safetensors file: its metadata name the op and the options, its tensors are inputs and expected results.
#include "cris/audit/parity_case.h"

#include "nn/json_text.h"
#include "nn/precision.h"

namespace cris {

using autograd::Variable;
using nlohmann::json;
using tensor::require;
using tensor::Tensor;

ParityCase::ParityCase(nn::SafeTensors file, tensor::Device device, tensor::DType dtype)
    : file_(std::move(file)), device_(device), dtype_(dtype) {
  require(file_.metadata.count("op") > 0, "its metadata names no op");
  op_ = file_.metadata.at("op");
  const auto text = file_.metadata.find("options");
  options_ = text == file_.metadata.end() ? json::object() : nn::parse_json<json>(text->second);
  require(options_.is_object(), "its options are not a JSON object");
}

void ParityCase::require_option(const std::string& key, const json& supported) {
  used_.insert(key);
  if (options_.contains(key))
    require(options_.at(key) == supported, "option {} = {} is not supported; only {} is", key, options_.at(key).dump(),
            supported.dump());
}

void ParityCase::check_all_options_used() const {
  for (const auto& [key, value] : options_.items())
    require(used_.count(key) > 0, "option {} = {} is not supported", key, value.dump());
}

const nn::StoredTensor& ParityCase::stored(const std::string& name) const {
  const auto at = file_.tensors.find("input." + name);
  require(at != file_.tensors.end(), "input.{} is missing", name);
  return at->second;
}

Tensor ParityCase::tensor(const std::string& name) const { return stored(name).to_tensor(dtype_, device_); }

Variable ParityCase::input(const std::string& name) {
  if (!has_input(name)) return {};
  const auto [at, fresh] = inputs_.try_emplace(name);
  if (fresh) at->second = Variable(tensor(name), file_.tensors.count("grad." + name) > 0);
  return at->second;
}

Variable ParityCase::activation(const std::string& name) { return nn::to_activations(input(name)); }

void ParityCase::output(const std::string& name, const Variable& y) {
  outputs_[name] = nn::from_activations(y);
  computed("output." + name, outputs_[name].value());
}

void ParityCase::computed(const std::string& full_name, const Tensor& t) { computed_[full_name] = nn::stored(t); }

void ParityCase::record_gradients() {
  Variable total;
  for (const auto& [name, y] : outputs_) {
    const auto cotangent = file_.tensors.find("cotangent." + name);
    if (cotangent == file_.tensors.end() || !y.requires_grad()) continue;
    const Tensor dy = cotangent->second.to_tensor(dtype_, device_);
    require(dy.shape() == y.shape(), "output.{} is {}, its cotangent {}", name, y.shape(), dy.shape());
    const Variable part = autograd::sum(autograd::multiply(y, Variable(dy)));
    total = total.defined() ? autograd::add(total, part) : part;
  }
  if (!total.defined()) return;
  autograd::backward(total);
  for (const auto& [name, x] : inputs_)
    if (x.requires_grad() && x.grad().defined()) computed("grad." + name, x.grad());
}

}  // namespace cris
