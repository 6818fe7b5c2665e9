/// The device that the fake runtime describes, and the kernels that it holds.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "tests/ptx/module.h"

namespace ptx {

/// Read once from the environment; tests change it.
struct Settings {
  int major = 9, minor = 0;   ///< CRIS_PTX_CAPABILITY, such as 7.5
  size_t memory;              ///< bytes, CRIS_EMULATOR_MEMORY_MB
  bool print = true;          ///< violations, to the standard error
  bool run = true;            ///< CRIS_PTX_RUN=0: kernels are counted and not run
  bool count_memory = false;  ///< sectors and wavefronts too; on where CRIS_PTX_REPORT names a file
  std::string report;         ///< CRIS_PTX_REPORT: where the counts are written at the end
};
Settings& settings();

/// One kernel that the host code knows by an address.
struct DeviceKernel {
  const Module* module;
  std::string name;
  std::unique_ptr<Kernel> ready;  ///< read at its first launch
  uint32_t dynamic_shared_limit = 48 << 10;
};
/// Null where no kernel has this address.
DeviceKernel* find_kernel(const void* address);
/// Read and ready to run. Throws std::runtime_error.
Kernel& ready(DeviceKernel& kernel);
/// Every kernel whose name contains `part`.
std::vector<DeviceKernel*> kernels_named(const std::string& part);

/// Launches and violations so far, and what the last violation said.
struct Tally {
  uint64_t launches = 0, small_launches = 0, graph_launches = 0, violations = 0;
  std::string last_violation;
};
Tally& tally();
/// The counts of every kernel that was launched, most instructions first.
std::string report();

/// While it lives, kernels whose name contains `part` run a body that `edit` made of their own. Throws
/// std::runtime_error when no kernel has the name, or `edit` leaves the text as it is.
class Mutation {
 public:
  Mutation(const std::string& part, const std::function<std::string(const std::string&)>& edit);
  ~Mutation();

 private:
  std::vector<std::pair<DeviceKernel*, std::unique_ptr<Kernel>>> before_;
};

}  // namespace ptx
