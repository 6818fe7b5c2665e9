/// One parity case: its inputs as variables, its options, and what an evaluation computes. Used by cris/parity*.cpp
/// only.
#pragma once
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>

#include "autograd/ops.h"
#include "nn/safetensors.h"

namespace cris {

class ParityCase {
 public:
  ParityCase(nn::SafeTensors file, tensor::Device device, tensor::DType dtype);

  const std::string& op() const { return op_; }
  tensor::Device device() const { return device_; }
  tensor::DType dtype() const { return dtype_; }
  const nn::SafeTensors& file() const { return file_; }

  /// The option called `key`. Throws when it has another type, or is missing and no `fallback` was given.
  template <class T>
  T option(const std::string& key) {
    tensor::check(options_.contains(key), "option {} is missing", key);
    return read<T>(key);
  }
  template <class T>
  T option(const std::string& key, T fallback) {
    return options_.contains(key) ? read<T>(key) : fallback;
  }
  /// Throws unless the option is absent or has the one value that this program supports.
  void require_option(const std::string& key, const nlohmann::json& supported);
  /// Throws when the file has options that nobody asked for.
  void check_all_options_used() const;

  bool has_input(const std::string& name) const { return file_.tensors.count("input." + name) > 0; }
  const nn::StoredTensor& stored(const std::string& name) const;
  /// input.NAME as a constant.
  tensor::Tensor tensor(const std::string& name) const;
  /// input.NAME as a variable whose gradient is wanted when the file has grad.NAME; undefined when it has no such
  /// input.
  autograd::Variable input(const std::string& name);
  /// The same, as activations are kept (nn/precision.h).
  autograd::Variable activation(const std::string& name);

  /// Records a result, in f32 where it is bf16; it takes part in the gradient when the file has cotangent.NAME.
  void output(const std::string& name, const autograd::Variable& y);
  /// Records a tensor under its full name, in the file's layout.
  void computed(const std::string& full_name, const tensor::Tensor& t);
  void computed(const std::string& full_name, const nn::StoredTensor& t) { computed_[full_name] = t; }

  /// Walks back from the outputs by their cotangents and records every grad.NAME that the file has.
  void record_gradients();
  const std::map<std::string, nn::StoredTensor>& computed() const { return computed_; }

 private:
  nn::SafeTensors file_;
  tensor::Device device_;
  tensor::DType dtype_;
  std::string op_;
  nlohmann::json options_;
  std::set<std::string> used_;
  std::map<std::string, autograd::Variable> inputs_, outputs_;
  std::map<std::string, nn::StoredTensor> computed_;

  template <class T>
  T read(const std::string& key) {
    used_.insert(key);
    try {
      return options_.at(key).get<T>();
    } catch (const nlohmann::json::exception&) {
      throw tensor::Error(fmt::format("option {} = {} is not supported", key, options_.at(key).dump()));
    }
  }
};

/// Computes a case's outputs.
using ParityOp = void (*)(ParityCase& c);
/// By the op's name.
const std::map<std::string, ParityOp>& parity_ops();
/// op = model: a whole network, its losses and gradients, and training steps (parity_model.cpp).
void evaluate_model(ParityCase& c);

}  // namespace cris
