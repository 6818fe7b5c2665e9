/// Chapter 4: how to know that a gradient and a kernel are right.
#include <fmt/format.h>

#include <cmath>

#include "autograd/gradcheck.h"
#include "cris/report/svg_chart.h"
#include "docs/course/figure.h"
#include "tensor/relative_error.h"

using namespace autograd;
using tensor::Device;
using tensor::DType;

namespace {

const Cotangent kOnes = [](size_t, const tensor::Shape& s) {
  return tensor::full(s, 1, DType::f64, Device::reference);
};

Variable number(double value) { return Variable(Tensor::from<double>({value}, {1}, Device::reference), true); }

/// (f(x + h) - f(x - h)) / 2h
double slope(const std::function<Variable(const Variable&)>& f, double at, double h) {
  Variable x = number(at);
  return central_difference([&] { return std::vector{f(x)}; }, kOnes, x, {1.0}, h);
}

Variable cube(const Variable& x) { return x * x * x; }

/// x^2 with a wrong gradient: the 2 is forgotten.
Variable wrong_square(const Variable& x) {
  return record("wrong_square", tensor::zip(tensor::Multiply{}, x.value(), x.value()),
                {{x, [v = x.value()](const Tensor& dy) { return tensor::zip(tensor::Multiply{}, dy, v); }}});
}

}  // namespace

int main(int argc, char** argv) {
  // d(x^3)/dx = 3 x^2 = 5.07 at x = 1.3. How wrong is the difference quotient?
  cris::Series error{"f64", {}};
  for (int k = 1; k <= 12; ++k) {
    const double h = std::pow(10, -k), wrong = std::abs(slope(cube, 1.3, h) - 3 * 1.3 * 1.3) / 5.07;
    error.points.emplace_back(-k, std::log10(wrong));
    if (k % 2 == 1) fmt::print("h = 1e-{:<2}  relative error {:.0e}\n", k, wrong);
  }
  course::save(
      argc, argv, "04-step.svg",
      cris::to_svg({"Relative error of (f(x + h) - f(x - h)) / 2h, f = x^3", "log10 h", "log10 error", {error}}));

  fmt::print("\n");
  const Variable x = number(1.3);
  backward(wrong_square(x));
  fmt::print("wrong_square: its gradient {:.4f}, central differences {:.4f}\n", x.grad().item(),
             slope(wrong_square, 1.3, 1e-5));
  fmt::print(
      "relu at the kink: its gradient {}, central differences {}\n\n",
      [] {
        const Variable z = number(0);
        return backward(relu(z)), z.grad().item();
      }(),
      slope(relu, 0, 1e-5));

  // The table of cases: gradients in f64 on the reference, and f32 on the fast cpu against f64.
  for (const OpCase& c : op_cases()) {
    if (c.op != "max_pool2d" && c.name != "conv2d 16 to 32" && c.name != "conv2d stride 2") continue;
    double worst = 0;
    for (const GradientError& e : gradcheck(c)) worst = std::max(worst, e.worst());
    const Tensor exact = run_case(c, case_inputs(c, DType::f64, Device::reference)).y;
    const Tensor fast = run_case(c, case_inputs(c, DType::f32, Device::cpu)).y;
    fmt::print("{:<36} gradients {}, cpu {}\n", c.name, worst < 1e-7 ? "right" : "WRONG",
               tensor::relative_error(fast.to_vector(), exact.to_vector()) < c.tolerance ? "right" : "WRONG");
  }
}
