/// The fast host backend: the reference's memory, and kernels of its own for f32. What it lacks stays the reference's.
#include "tensor/backend.h"

#include "tensor/cpu/vector.h"
#include "tensor/cpu_kernels.h"

namespace tensor {
namespace cpu {

/// As in reference/backend.cpp.
using Chapter = void(Backend&);
Chapter add_elementwise, add_sums, add_random, add_matmul, add_convolution, add_pooling, add_resizing, add_channels,
    add_norms, add_classes, add_exact_gaussian, add_lattice_gaussian, add_updates;

namespace {

const Backend& table() {
  static const Backend table = [] {
    Backend b = reference_backend();
    for (Chapter* add : {add_elementwise, add_sums, add_random, add_matmul, add_convolution, add_pooling, add_resizing,
                         add_channels, add_norms, add_classes, add_exact_gaussian, add_lattice_gaussian, add_updates})
      add(b);
    return b;
  }();
  return table;
}

float multiply_adds(int64_t rounds) {
  constexpr int kChains = 12;
  Vec y[kChains];
  // Each chain starts elsewhere: equal chains would be computed once.
  for (int i = 0; i < kChains; ++i) y[i] = splat(float(i));
  const Vec a = splat(0.999f), b = splat(0.001f);
  for (int64_t i = 0; i < rounds; ++i) UNROLL for (Vec& v : y) v = v * a + b;
  Vec sum{};
  for (const Vec& v : y) sum += v;
  return 0 * sum[0];  // the sum keeps the loop alive, and is finite
}

// A macro that is not defined stays its own name as text; one that is becomes "1".
#define CRIS_TEXT(macro) #macro
#define CRIS_USED(macro, name) CRIS_TEXT(macro)[0] == '1',
constexpr bool kUses[] = {CRIS_INSTRUCTIONS(CRIS_USED)};

}  // namespace
}  // namespace cpu
}  // namespace tensor

extern "C" {
extern const tensor::CpuKernels CRIS_CPU_KERNELS;
constinit const tensor::CpuKernels CRIS_CPU_KERNELS = {CRIS_CPU_LEVEL, tensor::cpu::kUses, tensor::cpu::table,
                                                       tensor::cpu::multiply_adds, tensor::cpu::kLanes};
}
