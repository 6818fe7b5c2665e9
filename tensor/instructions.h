/// The instructions that the kernels of the cpu may have been compiled to use: those of the machine that built them.
#pragma once

/// F(the compiler's macro, the name by which a processor is asked).
#define CRIS_INSTRUCTIONS(F)                                                                                    \
  F(__AVX__, "avx")                                                                                             \
  F(__AVX2__, "avx2")                                                                                           \
  F(__FMA__, "fma")                                                                                             \
  F(__BMI__, "bmi")                                                                                             \
  F(__BMI2__, "bmi2")                                                                                           \
  F(__AVX512F__, "avx512f") F(__AVX512BW__, "avx512bw") F(__AVX512CD__, "avx512cd") F(__AVX512DQ__, "avx512dq") \
      F(__AVX512VL__, "avx512vl") F(__AVX512VBMI__, "avx512vbmi") F(__AVX512VBMI2__, "avx512vbmi2")

namespace tensor {

/// For each of them whether it was. Data alone: code compiled so may use what the processor lacks.
extern const bool kCpuUses[];

}  // namespace tensor
