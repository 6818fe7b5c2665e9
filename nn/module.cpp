/// Module: every list is one walk over visit().
#include "nn/module.h"

namespace nn {

namespace {

/// Walks a module and all below, keeping the dotted path.
class Walk : public Visitor {
 public:
  std::vector<Named<Variable>> parameters;
  std::vector<Named<Tensor>> buffers;
  std::vector<Named<int64_t>> counters;
  std::vector<Named<Module>> modules;

  explicit Walk(Module& root) {
    modules.push_back({"", &root});
    root.visit(*this);
  }
  void parameter(const std::string& name, Variable& v) override { parameters.push_back({path_ + name, &v}); }
  void buffer(const std::string& name, Tensor& t) override { buffers.push_back({path_ + name, &t}); }
  void counter(const std::string& name, int64_t& count) override { counters.push_back({path_ + name, &count}); }
  void module(const std::string& name, Module& m) override {
    modules.push_back({path_ + name, &m});
    const size_t length = path_.size();
    path_ += name + ".";
    m.visit(*this);
    path_.resize(length);
  }

 private:
  std::string path_;
};

template <class Change>
void replace_tensors(Module& module, Change&& change) {
  Walk walk(module);
  for (auto& m : walk.modules) m.value->set_folded(false);
  for (auto& p : walk.parameters) p.value->set_value(change(p.value->value()));
  for (auto& b : walk.buffers) *b.value = change(*b.value);
}

}  // namespace

std::vector<Named<Variable>> Module::parameters() { return Walk(*this).parameters; }
std::vector<Named<Tensor>> Module::buffers() { return Walk(*this).buffers; }
std::vector<Named<int64_t>> Module::counters() { return Walk(*this).counters; }
std::vector<Named<Module>> Module::modules() { return Walk(*this).modules; }

void Module::train(bool on) {
  for (auto& m : modules()) {
    m.value->training_ = on;
    m.value->set_folded(false);
  }
}

void Module::fold_norms() {
  tensor::check(!training_, "fold_norms: the module is in training mode; call train(false) first");
  for (auto& m : modules()) m.value->set_folded(true);
}

void Module::to(tensor::Device device) {
  replace_tensors(*this, [&](const Tensor& t) { return t.to(device); });
}

void Module::to(tensor::DType dtype) {
  tensor::check(dtype == tensor::DType::f32 || dtype == tensor::DType::f64, "module: parameters are f32 or f64, not {}",
                name(dtype));
  replace_tensors(*this, [&](const Tensor& t) { return t.dtype() == dtype ? t : tensor::cast(t, dtype); });
}

void Module::zero_grad() {
  for (auto& p : parameters()) p.value->zero_grad();
}

int64_t Module::parameter_count() {
  int64_t count = 0;
  for (auto& p : parameters()) count += p.value->value().size();
  return count;
}

}  // namespace nn
