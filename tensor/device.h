/// Where a tensor lives and who computes on it.
#pragma once

namespace tensor {

/// reference: naive loops, the executable specification. cpu: the same memory, fast kernels. cuda: the GPU.
/// plan: no memory and no arithmetic; runs a program to learn its peak memory and its operation count before anything
/// runs.
enum class Device { reference, cpu, cuda, plan };

constexpr const char* name(Device d) {
  switch (d) {
    case Device::reference:
      return "reference";
    case Device::cpu:
      return "cpu";
    case Device::cuda:
      return "cuda";
    case Device::plan:
      return "plan";
  }
  return "?";
}

}  // namespace tensor
