/// The kernels of the cpu are one source, compiled once for each level of processor: which levels there are, and which
/// one this process computes with. Results differ between levels in their last bits, never within one.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

/// The instructions that a level may use and a processor may lack: F(the compiler's macro, the processor's name for
/// it). F16C, LZCNT and MOVBE are not asked for: every processor with AVX2 has them, and not every compiler knows them.
#define CRIS_INSTRUCTIONS(F)                                                                                      \
  F(__AVX__, "avx")                                                                                               \
  F(__AVX2__, "avx2")                                                                                             \
  F(__FMA__, "fma")                                                                                               \
  F(__BMI__, "bmi")                                                                                               \
  F(__BMI2__, "bmi2")                                                                                             \
  F(__AVX512F__, "avx512f")                                                                                       \
  F(__AVX512BW__, "avx512bw") F(__AVX512CD__, "avx512cd") F(__AVX512DQ__, "avx512dq") F(__AVX512VL__, "avx512vl") \
      F(__AVX512VBMI__, "avx512vbmi") F(__AVX512VBMI2__, "avx512vbmi2")

namespace tensor {

struct Backend;

/// One compilation of tensor/cpu. Data alone: its functions may use what the processor lacks.
struct CpuKernels {
  const char* level;  ///< "x86-64", "x86-64-v3" (AVX2, FMA), "x86-64-v4" (AVX-512), "native", or another processor's
  const bool* uses;   ///< of each of CRIS_INSTRUCTIONS whether it may be among them
  const Backend& (*table)();
  /// `rounds` dependent multiply-adds in each lane of 12 vectors, 24 operations a lane and round; 0. For benchmarks.
  float (*multiply_adds)(int64_t rounds);
  int lanes;  ///< floats in a vector
};

/// The best level that this processor has, or the one that the environment variable CRIS_CPU_KERNELS names.
/// Throws Error, saying which there are, where that one is unknown or lacks an instruction here.
const CpuKernels& cpu_kernels();

/// The levels of this build that this processor has, best first.
std::vector<std::string> cpu_levels();

}  // namespace tensor
