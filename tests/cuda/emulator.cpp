/// The emulator itself: it finds barriers that are missing or that not every thread reaches.
#include <cuda_runtime.h>
#include <doctest/doctest.h>

#include <cstdlib>
#include <vector>

#include "tensor/precision.h"
#include "tests/kernels/kernel_cases.h"

namespace {

constexpr int kCount = 128;

/// y[i] = x of the mirrored thread, handed over in shared memory.
template <bool kBarrier>
__global__ void mirror(const int* x, int* y) {
  __shared__ int shared[kCount];
  shared[threadIdx.x] = x[threadIdx.x];
  if (kBarrier) __syncthreads();
  y[threadIdx.x] = shared[kCount - 1 - threadIdx.x];
}

__global__ void half_waits() {
  if (threadIdx.x < kCount / 2) __syncthreads();
}

__global__ void warp_sum(const int* x, int* y) {
  int v = x[threadIdx.x];
  for (int d = 16; d > 0; d /= 2) v += __shfl_down_sync(~0u, v, d);
  if (threadIdx.x % 32 == 0) y[threadIdx.x / 32] = v;
}

std::vector<int> mirrored(bool barrier, bool reverse) {
  if (reverse) setenv("CRIS_EMULATOR_REVERSE", "1", 1);
  std::vector<int> x(kCount), y(kCount);
  // Other values each time, so that shared memory left by an earlier run cannot pass for the right answer.
  static int next = 0;
  for (int& v : x) v = ++next;
  cuda_emulator::run_grid(1, kCount,
                          [&] { barrier ? mirror<true>(x.data(), y.data()) : mirror<false>(x.data(), y.data()); });
  unsetenv("CRIS_EMULATOR_REVERSE");
  for (int i = 0; i < kCount; ++i) y[i] -= x[kCount - 1 - i];
  return y;
}

TEST_CASE("emulator: a barrier makes both thread orders right, and a missing one is seen") {
  const std::vector<int> right(kCount, 0);
  CHECK(mirrored(true, false) == right);
  CHECK(mirrored(true, true) == right);
  CHECK(mirrored(false, false) != right);
  CHECK(mirrored(false, true) != right);
}

TEST_CASE("emulator: a barrier that only some threads reach throws") {
  CHECK_THROWS_WITH(cuda_emulator::run_grid(1, kCount, half_waits), doctest::Contains("divergent barrier"));
}

TEST_CASE("emulator: warps exchange values") {
  std::vector<int> x(kCount), y(4);
  for (int i = 0; i < kCount; ++i) x[i] = i;
  cuda_emulator::run_grid(1, kCount, [&] { warp_sum(x.data(), y.data()); });
  for (int w = 0; w < 4; ++w) CHECK(y[w] == 32 * 32 * w + 31 * 32 / 2);
}

__global__ void last_block(int* y) { *y = int(blockIdx.x + 10 * blockIdx.y); }

TEST_CASE("emulator: blocks come in both orders") {
  int y = -1;
  const auto run = [&] { cuda_emulator::run_grid(dim3(3, 2), 1, [&] { last_block(&y); }); };
  run();
  CHECK(y == 12);
  setenv("CRIS_EMULATOR_REVERSE", "1", 1);
  run();
  unsetenv("CRIS_EMULATOR_REVERSE");
  CHECK(y == 0);
}

/// The outputs of the case with threads in ascending or descending order and one block barrier left out.
kernel_cases::Tensors outputs(const kernel_cases::Case& c, bool reverse, int skipped_barrier, tensor::DType images) {
  if (reverse) setenv("CRIS_EMULATOR_REVERSE", "1", 1);
  cuda_emulator::skipped_barrier = skipped_barrier;
  const auto out = results(c, inputs(c, tensor::Device::cuda, images), images);
  cuda_emulator::skipped_barrier = -1;
  unsetenv("CRIS_EMULATOR_REVERSE");
  return out;
}

/// Whether an output betrays that the barrier is missing.
bool betrayed(const kernel_cases::Case& c, int skipped_barrier, tensor::DType images = tensor::DType::f32) {
  const auto right = outputs(c, false, -1, images);
  for (const bool reverse : {false, true}) {
    const auto got = outputs(c, reverse, skipped_barrier, images);
    for (size_t i = 0; i < right.size(); ++i)
      if (!same_bits(got[i], right[i])) return true;
  }
  return false;
}

TEST_CASE("emulator: the kernels' own barriers, left out one by one, are missed") {
  using namespace kernel_cases;
  const Case sum = {"sum", {{{1, 128, 72, 17}}}, {{{17}, true}}, [](const Tensors& in, const Tensors& out) {
                      on(in[0]).sum(in[0], out[0]);
                    }};
  CHECK(!betrayed(sum, -1));
  for (const int barrier : {0, 1, 2, 3, 4, 5, 6}) CHECK(betrayed(sum, barrier));
  const tensor::ConvShape z = tensor::conv_shape({1, 8, 16, 32}, {64, 3, 3, 32}, {.padding = 1});
  const Case convolution = {"conv2d",
                            {{{1, 8, 16, 32}}, {{64, 3, 3, 32}, -1, 1, true}},
                            {{{1, 8, 16, 64}}},
                            [=](const Tensors& in, const Tensors& out) {
                              on(in[0]).conv2d(z, in[0], in[1], {}, tensor::Activation::none, out[0]);
                            }};
  tensor::set_precision(tensor::Precision::tf32);
  for (const auto images : {tensor::DType::f32, tensor::DType::bf16}) {
    CHECK(!betrayed(convolution, -1, images));
    for (const int barrier : {0, 1, 4, 8}) CHECK(betrayed(convolution, barrier, images));
  }
  tensor::set_precision(tensor::Precision::f32);
}

}  // namespace
