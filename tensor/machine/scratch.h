/// Vectors for intermediate results: their memory is the arena's, whose pages stay with the process, and their elements
/// begin unset. From the system each would begin with pages that are fetched and zeroed.
#pragma once
#include <memory>
#include <utility>
#include <vector>

#include "tensor/machine/allocator.h"

namespace tensor {

template <class T>
struct ScratchAllocator {
  using value_type = T;
  ScratchAllocator() = default;
  template <class U>
  ScratchAllocator(const ScratchAllocator<U>&) {}
  T* allocate(size_t n) { return static_cast<T*>(tensor::allocate(Device::cpu, int64_t(n * sizeof(T)))); }
  void deallocate(T* p, size_t) { release(Device::cpu, p); }
  template <class U>
  void construct(U* p) {
    ::new (static_cast<void*>(p)) U;
  }
  template <class U, class... A>
  void construct(U* p, A&&... a) {
    std::construct_at(p, std::forward<A>(a)...);
  }
  bool operator==(const ScratchAllocator&) const { return true; }
};

template <class T>
using Scratch = std::vector<T, ScratchAllocator<T>>;

}  // namespace tensor
