/// Tells the executor of the tensors that live in the backend's arena.
#include "tensor/machine/allocator.h"
#include "tests/ptx/memory.h"

namespace {

const bool watching = [] {
  tensor::watch_blocks([](tensor::Device device, void* block, int64_t bytes, bool live) {
    if (device == tensor::Device::cuda) ptx::DeviceMemory::get().set_live(block, size_t(bytes), live);
  });
  return true;
}();

}  // namespace
