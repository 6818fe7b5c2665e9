/// A safetensors file is read, and a module takes what is in it, or both are refused and the module stays as it was. An
/// input that begins with "{" is a header up to its first zero byte, then blocks: its length is put before it.
#include "nn/checkpoint.h"

#include "tests/fuzz/memory_file.h"

namespace {
struct Small : nn::Module {
  autograd::Variable weight{tensor::Tensor({2, 1, 1, 3}, tensor::DType::f32, tensor::Device::reference), true};
  tensor::Tensor mean{{2}, tensor::DType::f64, tensor::Device::reference};
  int64_t batches = 0;
  void visit(nn::Visitor& v) override {
    v.parameter("weight", weight);
    v.buffer("mean", mean);
    v.counter("batches", batches);
  }
};
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* bytes, size_t size) try {
  std::string content(reinterpret_cast<const char*>(bytes), size);
  if (content.starts_with('{')) {
    const size_t end = std::min(content.find('\0'), size);
    content.erase(end, 1);
    const uint64_t length = end;
    content.insert(0, reinterpret_cast<const char*>(&length), 8);
  }
  const nn::SafeTensors file = nn::read_safetensors(MemoryFile(content).path);
  for (const auto& [name, stored] : file.tensors) {
    if (int64_t(stored.values().size()) != stored.count()) __builtin_trap();
    if (stored.extents.size() <= 6) stored.to_tensor(tensor::DType::f64, tensor::Device::reference);
  }
  Small module;
  nn::apply_matching(file, module);
  nn::apply_checkpoint(file, "fuzzed", module, nullptr);
  return 0;
} catch (const tensor::Error&) {
  return 0;
}
