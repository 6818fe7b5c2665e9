/// THE table of kernel cases: what every kernel of the contract (tensor/backend.h) is given, on awkward shapes; and
/// `check`, which holds a device to all of it.
#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "tests/tensor/expect.h"

namespace kernel_cases {

using namespace tensor;
using Tensors = std::vector<Tensor>;

/// Uniform in [low, high), the same numbers on every device.
struct Input {
  Shape shape;
  double low = -1, high = 1;
  bool parameter = false;  ///< stays f32 beside images of bf16: weights, biases, statistics
  bool whole = false;      ///< rounded toward zero, so that windows have ties
};
struct Output {
  Shape shape;
  bool parameter = false;
  std::optional<DType> type = {};  ///< where it is not that of the images or parameters
};
struct Case {
  std::string name;  ///< kernel, operation and shapes: a failure shows it
  std::vector<Input> in;
  std::vector<Output> out;
  std::function<void(const Tensors& in, const Tensors& out)> run;
  std::vector<size_t> may_be = {};   ///< inputs that the first output may be: in place
  std::vector<size_t> updated = {};  ///< inputs that the kernel changes
  double tolerance = 2e-6;           ///< largest relative error in f32; integers are exact
  double work = 0;                   ///< multiplications, where they are more than the elements
};

/// The kernels that `run` takes for x: of its device, but of the reference for f64 on the cpu.
inline const Backend& on(const Tensor& x) {
  Arguments arguments;
  arguments.see(x);
  return arguments.table();
}

/// The case's inputs: images in `images`, parameters in f64 or f32 with them.
Tensors inputs(const Case& c, Device device, DType images);
/// The outputs and then the updated inputs of one run. Outputs are poisoned first; with `in_place` the first one is
/// that input.
Tensors results(const Case& c, const Tensors& in, DType images, std::optional<size_t> in_place = {});

/// Each case on the device agrees with the reference in f64 on the same numbers; gives the same bits in place; and the
/// same bits by 1, 2 and 3 threads on the cpu, or with the emulator's threads in descending order on cuda, where a
/// kernel that lacks a barrier differs. `tolerance`: instead of the case's own; of images of bf16, against the exact
/// result rounded once.
void check(const std::vector<Case>& cases, Device device, DType images = DType::f32,
           std::optional<double> tolerance = {});

/// Those that the emulator does in a moment.
std::vector<Case> quick(const std::vector<Case>& cases);
/// Those whose name begins with `kernel`.
std::vector<Case> only(const std::string& kernel, const std::vector<Case>& cases);

// ---- the table: kernel_table.cpp and kernel_table_windows.cpp ------------------------------------------------------
inline const std::vector<int64_t> kChannels = {1, 2, 3, 7, 16, 17, 33, 64, 65, 300};

std::vector<Case> elementwise();
std::vector<Case> fills_and_casts();
std::vector<Case> dropouts();
std::vector<Case> sums_and_norms(const std::vector<int64_t>& channels = kChannels);
std::vector<Case> classes();
std::vector<Case> updates();
std::vector<Case> products();
std::vector<Case> convolutions();
std::vector<Case> pooling(const std::vector<int64_t>& channels = kChannels);
std::vector<Case> resizing(const std::vector<int64_t>& channels = kChannels);
/// Every kind and normalisation, with their transposes.
std::vector<Case> gaussian_filters();

}  // namespace kernel_cases
