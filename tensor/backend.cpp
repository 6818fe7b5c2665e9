/// Which table of kernels serves a device.
#include "tensor/backend.h"

#include "tensor/instructions.h"

namespace tensor {

namespace {
/// An instruction that the cpu's kernels were compiled to use and this processor lacks; null: it has all.
const char* missing_instruction() {
#if defined(__x86_64__)
  const bool* used = kCpuUses;
#define CRIS_ASK(macro, name) \
  if (*used++ && !__builtin_cpu_supports(name)) return name;
  CRIS_INSTRUCTIONS(CRIS_ASK)
#endif
  return nullptr;
}

/// Where the cpu's kernels cannot run, the reference's stand in for them.
const Backend& cpu_or_slow() {
  static const char* const missing = missing_instruction();
  if (!missing) return cpu_backend();
  static const Backend slow = [] {
    Backend b = reference_backend();
    b.facts = [] {
      return std::vector<std::pair<std::string, std::string>>{
          {"kernels", fmt::format("the slow ones of the reference: this program was built for a processor with {}, "
                                  "which this one lacks; build it here",
                                  missing)}};
    };
    return b;
  }();
  return slow;
}
}  // namespace

const Backend& backend(Device device) {
  switch (device) {
    case Device::reference:
      return reference_backend();
    case Device::cpu:
      return cpu_or_slow();
    case Device::cuda:
      return cuda_backend();
    case Device::plan:
      return plan_backend();
  }
  throw Error("backend: unknown device");
}

const DeviceMemory& device_memory(Device device) { return backend(device); }

}  // namespace tensor
