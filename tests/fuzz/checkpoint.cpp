/// A safetensors file is read, and a module takes what is in it, or both are refused and the module stays as it was. An
/// input that begins with "{" is a header up to its first zero byte, then blocks: its length is put before it.
#include "nn/checkpoint.h"

#include <sys/mman.h>

#include "tensor/machine/device_memory.h"
#include "tests/fuzz/memory_file.h"

namespace tensor {
/// Memory alone: no kernel runs here.
const DeviceMemory& device_memory(Device) {
  static const DeviceMemory table = [] {
    DeviceMemory b{};
    b.reserve_arena = [](int64_t& limit) {
      limit = int64_t(1) << 30;
      void* arena =
          mmap(nullptr, size_t(limit), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
      return arena == MAP_FAILED ? nullptr : arena;
    };
    b.copy_from_host = [](void* to, const void* host, int64_t bytes) { memcpy(to, host, size_t(bytes)); };
    b.copy_to_host = [](void* host, const void* from, int64_t bytes) { memcpy(host, from, size_t(bytes)); };
    b.copy = b.copy_from_host;
    return b;
  }();
  return table;
}
}  // namespace tensor

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
