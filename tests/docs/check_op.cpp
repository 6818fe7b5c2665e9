/// check_op OP...: holds every case of these ops (autograd/op_cases.cpp) to what is asked of all ops. The gradients
/// agree with central differences; f32 on every device agrees with f64 on the reference. Ends with status 1 where one
/// does not.
#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "autograd/gradcheck.h"
#include "tensor/relative_error.h"

using namespace autograd;
using tensor::Device;
using tensor::DType;
using tensor::relative_error;

namespace {

bool within(double error, double bound, const std::string& what) {
  const bool ok = error < bound;  // false for NaN
  fmt::print("{:<6} {:<40} {:.1e}, at most {:.0e}\n", ok ? "agrees" : "WRONG", what, error, bound);
  return ok;
}

bool check_case(const OpCase& c) {
  double worst = 0;
  for (const GradientError& e : gradcheck(c)) worst = std::max(worst, e.worst());
  bool ok = within(worst, 1e-7, c.name + ", gradients");
  const CaseResult exact = run_case(c, case_inputs(c, DType::f64, Device::reference));
  for (const Device device : {Device::reference, Device::cpu, Device::cuda}) {
    const CaseResult result = run_case(c, case_inputs(c, DType::f32, device));
    double error = relative_error(result.y.to_vector(), exact.y.to_vector());
    for (size_t i = 0; i < exact.gradients.size(); ++i)
      if (exact.gradients[i].defined())
        error = std::max(error, relative_error(result.gradients[i].to_vector(), exact.gradients[i].to_vector()));
    ok &= within(error, c.tolerance, fmt::format("{}, {}", c.name, tensor::name(device)));
  }
  return ok;
}

}  // namespace

int main(int argc, char** argv) {
  bool ok = argc > 1;
  for (int i = 1; i < argc; ++i) {
    bool found = false;
    for (const OpCase& c : op_cases())
      if (c.op == argv[i]) found = true, ok &= check_case(c);
    if (!found) fmt::print("WRONG  {} has no row in autograd/op_cases.cpp\n", argv[i]);
    ok &= found;
  }
  return ok ? 0 : 1;
}
