/// Which compilation of the cpu's kernels serves this processor.
#include "tensor/cpu_kernels.h"

#include <algorithm>
#include <cstdlib>

#include "tensor/check.h"
#include "tensor/names.h"

extern "C" {
extern const tensor::CpuKernels CRIS_ALL_CPU_KERNELS;  // a list of names, best first: cmake/cpu_kernels.cmake
}

namespace tensor {

namespace {

/// An instruction that the level may use and this processor lacks; null: it has all.
const char* missing_instruction([[maybe_unused]] const CpuKernels& kernels) {
#if defined(__x86_64__)
  const bool* used = kernels.uses;
#define CRIS_ASK(macro, name) \
  if (*used++ && !__builtin_cpu_supports(name)) return name;
  CRIS_INSTRUCTIONS(CRIS_ASK)
#endif
  return nullptr;
}

const std::vector<CpuKernels>& all_levels() {
  static const std::vector<CpuKernels> all{CRIS_ALL_CPU_KERNELS};
  return all;
}

const CpuKernels& chosen() {
  const auto& all = all_levels();
  const char* const wanted = std::getenv("CRIS_CPU_KERNELS");
  if (wanted && *wanted) {
    const auto named = std::ranges::find_if(all, [&](const CpuKernels& k) { return wanted == std::string(k.level); });
    check(named != all.end(), "CRIS_CPU_KERNELS: \"{}\" is unknown; choose {}, or leave it unset for the best", wanted,
          alternatives(cpu_levels()));
    const char* const missing = missing_instruction(*named);
    check(!missing, "CRIS_CPU_KERNELS: {} needs a processor with {}, which this one lacks; choose {}", wanted,
          missing ? missing : "", alternatives(cpu_levels()));
    return *named;
  }
  for (const CpuKernels& k : all)
    if (!missing_instruction(k)) return k;
  throw Error(
      fmt::format("device cpu: this program was built for a processor with {}, which this one lacks; build it without "
                  "CRIS_NATIVE, or choose --device reference",
                  missing_instruction(all.back())));
}

}  // namespace

const CpuKernels& cpu_kernels() {
  static const CpuKernels& kernels = chosen();
  return kernels;
}

std::vector<std::string> cpu_levels() {
  std::vector<std::string> levels;
  for (const CpuKernels& k : all_levels())
    if (!missing_instruction(k)) levels.push_back(k.level);
  return levels;
}

}  // namespace tensor
