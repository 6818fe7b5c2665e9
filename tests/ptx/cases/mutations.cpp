/// Faults put into nvcc's PTX: each must be noticed, by a rule that is broken or by numbers that are wrong.
#include <doctest/doctest.h>

#include <functional>
#include <regex>

#include "tensor/cuda/runtime.h"
#include "tensor/ops.h"
#include "tensor/precision.h"
#include "tensor/relative_error.h"
#include "tests/ptx/device.h"

namespace {

using namespace tensor;

/// A convolution on tensor cores with several tiles of its sum, its gradients, and what runs beside it.
struct Side {
  int64_t pixels, channels;
};
constexpr Side kPatches{9, 16}, kWindows{16, 64};  // the second's windows share their pixels
double error_of_convolution(bool transposed, Side side) {
  const auto [n, c] = side;
  const ConvShape z{.n = 1, .h = n, .w = n, .c = c, .k = c, .r = 3, .s = 3, .p = n, .q = n, .stride = 1, .padding = 1};
  const auto draw = [](uint32_t stream, const Shape& shape) {
    return uniform({7, stream, 0}, shape, -1, 1, DType::f32, Device::reference);
  };
  const Tensor x = draw(1, {1, n, n, c}), w = draw(2, {c, 3, 3, c}), dy = draw(3, {1, n, n, c});
  const auto compute = [&](Device device, DType t) {
    const Backend& b = backend(device);
    const auto there = [&](const Tensor& v) { return t == DType::bf16 ? cast(v.to(device), t) : v.to(device); };
    Tensor y(transposed ? w.shape() : x.shape(), transposed ? DType::f32 : t, device);
    if (transposed)
      b.conv2d_grad_weight(z, there(dy), there(x), y);
    else
      b.conv2d(z, there(x), w.to(device), {}, Activation::none, y);
    return y.to_vector();
  };
  return relative_error(compute(Device::cuda, DType::bf16), compute(Device::reference, DType::f32));
}
double error_of_map() {
  const Tensor x = uniform({7, 4, 0}, {1027}, -1, 1, DType::f32, Device::reference);
  return relative_error(map(Affine{.scale = 2, .shift = 1}, x.to(Device::cuda)).to_vector(),
                        map(Affine{.scale = 2, .shift = 1}, x).to_vector());
}
double error_of_sum() {
  const Tensor x = uniform({7, 5, 0}, {700, 8}, 0, 1, DType::f32, Device::reference);
  const auto total = [&](Device device) {
    Tensor y({8}, DType::f32, device);
    backend(device).sum(x.to(device), y);
    return y.to_vector();
  };
  return relative_error(total(Device::cuda), total(Device::reference));
}

constexpr int kEvery = -1;
/// Replaces the n-th match, or every one.
std::string replace(const std::string& text, const std::string& pattern, const std::string& by, int n) {
  const std::regex regex(pattern);
  if (n == kEvery) return std::regex_replace(text, regex, by);
  for (auto at = std::sregex_iterator(text.begin(), text.end(), regex); at != std::sregex_iterator(); ++at)
    if (n-- == 0)
      return text.substr(0, size_t(at->position())) + at->format(by) +
             text.substr(size_t(at->position() + at->length()));
  return text;
}

struct Fault {
  std::string name;
  const char *kernel, *pattern, *by;
  std::function<double()> error;
  int n = 0;
};

/// How the fault was noticed; empty when it was not.
std::string noticed(const Fault& f) {
  const uint64_t before = ptx::tally().violations;
  const ptx::Mutation fault(f.kernel, [&](const std::string& body) { return replace(body, f.pattern, f.by, f.n); });
  try {
    const double error = f.error();
    if (!(error < 2e-2)) return fmt::format("numbers are wrong by {:.1e}", error);
  } catch (const CudaError&) {
    if (ptx::tally().violations > before) return ptx::tally().last_violation;
  }
  return "";
}

const auto kForward = [] { return error_of_convolution(false, kPatches); };
const auto kWeights = [] { return error_of_convolution(true, kPatches); };
const auto kForwardWindows = [] { return error_of_convolution(false, kWindows); };
const auto kWeightsWindows = [] { return error_of_convolution(true, kWindows); };

}  // namespace

TEST_CASE("ptx: faults in nvcc's output are noticed") {
  set_precision(Precision::bf16);
  for (const auto& error : {std::function<double()>(kForward), {kWeights}, {kForwardWindows}, {kWeightsWindows}})
    REQUIRE(error() < 2e-2);
  REQUIRE(error_of_map() < 1e-6);
  REQUIRE(error_of_sum() < 1e-6);
  const char* const forward = "9PatchRowsINS_8BFloat16";
  const char* const weights = "12PatchColumnsINS_8BFloat16";
  std::vector<std::string> told;
  for (const Fault& f : std::vector<Fault>{
           {"a barrier of the product is dropped", forward, R"(bar\.sync\s+0;)", "", kForward},
           {"a barrier of the gradient's product is dropped", weights, R"(bar\.sync\s+0;)", "", kWeights},
           {"copies are waited for one tile too late", forward, R"(cp\.async\.wait_group 2;)", "cp.async.wait_group 3;",
            kForward},
           {"copies are not waited for", forward, R"(cp\.async\.wait_group 2;)", "", kForward},
           {"a group of copies is not closed", forward, R"(cp\.async\.commit_group;)", "", kForward},
           {"two registers of a matrix are exchanged", forward, R"((mma\.sync[^{]*\{[^}]*\}, \{)(%r\d+),(%r\d+),)",
            "$1$3,$2,", kForward, kEvery},
           {"ldmatrix does not transpose", weights, R"(\.x4\.trans\.)", ".x4.", kWeights},
           {"what lies outside the image is read", forward, R"((cp\.async\.cg[^;]*16, )%r\d+;)", "$0116;", kForward,
            kEvery},
           {"a barrier of shared windows is dropped", "conv3x3_kernel", R"(bar\.sync\s+0;)", "", kForwardWindows},
           {"filters are waited for one tap too late", "conv3x3_kernel", R"(cp\.async\.wait_group 1;)",
            "cp.async.wait_group 2;", kForwardWindows},
           {"pixels outside the image are read", "conv3x3_kernel", R"((cp\.async\.cg[^;]*16, )%r\d+;)", "$0116;",
            kForwardWindows, kEvery},
           {"a barrier of shared windows' gradient is dropped", "conv3x3_grad_weight", R"(bar\.sync\s+0;)", "",
            kWeightsWindows},
           {"pixels are waited for one tile too late", "conv3x3_grad_weight", R"(cp\.async\.wait_group 1;)",
            "cp.async.wait_group 2;", kWeightsWindows},
           {"a bound is inverted", "map_kernelINS_6Affine", R"(setp\.gt\.s64)", "setp.le.s64", error_of_map},
           {"a vector is loaded from where none may begin", "map_kernelINS_6Affine",
            R"((ld\.global\.v4\.f32[^\[]*\[%rd\d+)\])", "$1+4]", error_of_map},
           {"a store goes past the tensor", "map_kernelINS_6Affine", R"((st\.global\.v4\.f32\s*\[%rd\d+)\])",
            "$1+4096]", error_of_map},
           {"a store is left out", "map_kernelINS_6Affine", R"(st\.global\.v4\.f32[^;]*;)", "", error_of_map},
           {"a barrier of a sum is dropped", "partial_sums_kernel", R"(bar\.sync\s+0;)", "", error_of_sum},
           {"a barrier of a sum over slices is dropped", "finish_sums_kernel", R"(bar\.sync\s+0;)", "", error_of_sum,
            1},
       }) {
    CAPTURE(f.name);
    const std::string how = noticed(f);
    CHECK(!how.empty());
    told.push_back(f.name + ": " + how.substr(how.find("\n  ") == std::string::npos ? 0 : how.rfind("\n  ") + 3));
  }
  std::string all;
  for (const std::string& line : told) all += "\n  " + line;
  MESSAGE(told.size() << " faults were noticed:" << all);
  set_precision(Precision::f32);
}
