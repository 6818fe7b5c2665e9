/// What a training step would take on a GPU that is not here: a model, to be corrected by the first measurement.
#pragma once
#include "cris/run/config.h"

namespace tools {

/// A device by its figures; by default an NVIDIA H200.
struct DeviceFigures {
  double tflops = 989;       ///< 10^12 operations a second of its tensor cores, dense, in bf16
  double memory_gbs = 4800;  ///< 10^9 bytes a second from memory
  double l2_gbs = 5500;      ///< and from the L2 cache
  double launch_us = 1.5;    ///< from one kernel of a graph to the next
  double ghz = 1.755;
  int64_t multiprocessors = 132;
};
/// Prints the estimate for each convolution's three passes, for the rest by the bytes that it moves, and for the step.
void bench_plan(const cris::Config& config, const DeviceFigures& figures);

}  // namespace tools
