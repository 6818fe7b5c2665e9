/// A kernel ready to run, and what is counted while it does.
#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "tests/ptx/warp.h"

namespace ptx {

struct Parameter {
  uint32_t offset, bytes;
};
/// A row that the block fills in: %tid.x and so on.
struct SpecialRow {
  std::string name;
  int row;
};
struct Constant {
  int row;
  bool wide;
  uint64_t bits;
};

/// Sums over all launches. A sector is 32 bytes of global memory that a warp's access touches; the least is what its
/// bytes would fill. A wavefront is a pass over the 32 banks of shared memory; the least is one a 128 bytes.
struct Counts {
  uint64_t launches = 0, blocks = 0, warps = 0;
  uint64_t sectors = 0, least_sectors = 0, wavefronts = 0, least_wavefronts = 0;
  uint64_t copy_wavefronts = 0, least_copy_wavefronts = 0;  ///< those of cp.async's writes
};

struct Kernel {
  std::string name;
  std::vector<Instruction> code;
  std::vector<std::string> text;  ///< of each instruction
  std::vector<uint64_t> hits;     ///< warps that ran each instruction
  std::vector<Parameter> parameters;
  std::vector<SpecialRow> specials;
  std::vector<Constant> constants;
  int rows = 0;
  uint32_t parameter_bytes = 0, shared_bytes = 0, local_bytes = 0;
  Counts counts;
  std::vector<std::unique_ptr<Warp>> warps;  ///< of one block, kept from launch to launch

  uint64_t instructions() const;
  /// Warps that ran an instruction whose text begins with `name`.
  uint64_t instructions(const std::string& name) const;
};

struct Extent {
  uint32_t x = 1, y = 1, z = 1;
};
struct LaunchOptions {
  bool descending = false;    ///< blocks and warps run from the last to the first
  bool count_memory = false;  ///< sectors and wavefronts
};

/// The kernel's parameters as they lie in memory, from arguments as cudaLaunchKernel takes them.
std::vector<uint8_t> pack_arguments(const Kernel& kernel, void** arguments);
/// Runs a whole grid. Throws Violation, naming the place.
void run_grid(Kernel& kernel, Extent grid, Extent block, const std::vector<uint8_t>& parameters,
              uint32_t dynamic_shared, const LaunchOptions& options);

}  // namespace ptx
