/// Times every convolution algorithm of a device.
#pragma once
#include "cris/run/config.h"

namespace tools {

/// Prints a table: each distinct convolution of a U-Net of model.base on data.size and train.batch, its three passes,
/// and for each the milliseconds and GFLOP/s of every algorithm in every precision; "-" where one does not serve.
void bench_convolutions(const cris::Config& config);

}  // namespace tools
