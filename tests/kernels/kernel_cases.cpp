/// Runs kernel cases and compares them with the reference.
#include "tests/kernels/kernel_cases.h"

#include <cstdlib>

#include "tensor/machine/threads.h"

namespace kernel_cases {

namespace {

DType type_of(bool parameter, DType images) { return parameter && images == DType::bf16 ? DType::f32 : images; }

/// Ways to run a kernel that must not change a bit of its result.
std::vector<std::function<void()>> ways(Device device) {
  if (device == Device::cuda)
    return {[] { unsetenv("CRIS_EMULATOR_REVERSE"); }, [] { setenv("CRIS_EMULATOR_REVERSE", "1", 1); }};
  return {[] { set_threads(1); }, [] { set_threads(2); }, [] { set_threads(3); }};
}

/// Integers are exact; beside images of bf16 an f32 result never was bf16, which would be off by 1e-3.
double tolerance_of(DType result, DType images, double tolerance) {
  if (result == DType::i32 || result == DType::u8) return 0;
  return images == DType::bf16 && result == DType::f32 ? 1e-5 : tolerance;
}

/// `exact`, rounded once to bf16 where `got` is.
Tensor rounded(const Tensor& exact, const Tensor& got) {
  return got.dtype() == DType::bf16 ? cast(cast(exact, DType::f32).to(got.device()), DType::bf16) : exact;
}

struct AsBefore {
  int threads = tensor::threads();
  ~AsBefore() {
    set_threads(threads);
    unsetenv("CRIS_EMULATOR_REVERSE");
  }
};

}  // namespace

Tensors inputs(const Case& c, Device device, DType images) {
  Tensors all;
  for (size_t i = 0; i < c.in.size(); ++i) {
    const Input& in = c.in[i];
    Tensor x = uniform({.seed = 7, .stream = uint32_t(i)}, in.shape, in.low, in.high, DType::f32, Device::reference);
    if (in.whole) x = cast(cast(x, DType::i32), DType::f32);
    const DType type = type_of(in.parameter, images);
    all.push_back(type == DType::bf16 ? cast(x.to(device), type) : cast(x, type).to(device));
  }
  return all;
}

Tensors results(const Case& c, const Tensors& in, DType images, std::optional<size_t> in_place) {
  const Device device = in.empty() ? Device::reference : in[0].device();
  Tensors given = in, out;
  for (const size_t i : c.updated) given[i] = in[i].clone();
  for (const Output& o : c.out) out.push_back(poisoned(o.shape, o.type.value_or(type_of(o.parameter, images)), device));
  if (in_place) out[0] = given[*in_place] = in[*in_place].clone();
  c.run(given, out);
  for (const size_t i : c.updated) out.push_back(given[i]);
  return out;
}

void check(const std::vector<Case>& cases, Device device, DType images, std::optional<double> tolerance) {
  const AsBefore before;
  for (const Case& c : cases) {
    CAPTURE(c.name);
    const Tensors in = inputs(c, device, images);
    Tensors exact;  // the same numbers, rounded to bf16 where `in` was
    for (const Tensor& x : in)
      exact.push_back(cast((x.dtype() == DType::bf16 ? cast(x, DType::f32) : x).to(Device::reference), DType::f64));
    const Tensors want = results(c, exact, DType::f64);
    Tensors got;
    for (const auto& way : ways(device)) {
      way();
      const Tensors again = results(c, in, images);
      REQUIRE(again.size() == want.size());
      for (size_t i = 0; i < want.size(); ++i) {
        CAPTURE(i);
        if (got.empty()) {
          CHECK(relative_error(again[i], rounded(want[i], again[i])) <=
                tolerance_of(again[i].dtype(), images, tolerance.value_or(c.tolerance)));
        } else {
          CHECK(same_bits(again[i], got[i]));
        }
      }
      if (got.empty()) got = again;
    }
    for (const size_t place : c.may_be) {
      CAPTURE(place);
      const Tensors same = results(c, in, images, place);
      for (size_t i = 0; i < same.size(); ++i) CHECK(same_bits(same[i], got[i]));
    }
  }
}

std::vector<Case> quick(const std::vector<Case>& cases) {
  std::vector<Case> some;
  for (const Case& c : cases) {
    double elements = 0;
    for (const Input& in : c.in) elements += double(in.shape.count());
    if (elements <= 2e5 && c.work <= 1.4e6) some.push_back(c);
  }
  return some;
}

std::vector<Case> only(const std::string& kernel, const std::vector<Case>& cases) {
  std::vector<Case> some;
  for (const Case& c : cases)
    if (c.name.rfind(kernel, 0) == 0) some.push_back(c);
  CHECK(!some.empty());
  return some;
}

}  // namespace kernel_cases
