/// Gradient checking can fail: gradients that are wrong on purpose are found, and in the right input.
#include <doctest/doctest.h>

#include "autograd/gradcheck.h"
#include "tests/message.h"

using namespace autograd;

namespace {

/// y = a b + b. The gradient of a is right: dy b. That of b, rightly dy (a + 1), is what the test says.
OpCase product(const char* name, std::function<Tensor(const Tensor& dy, const Tensor& a)> gradient_of_b) {
  const auto run = [gradient_of_b](const std::vector<Variable>& in) {
    const Tensor a = in[0].value(), b = in[1].value();
    const Tensor y = tensor::zip(tensor::Add{}, tensor::zip(tensor::Multiply{}, a, b), b);
    return record("product", y,
                  {{in[0], [=](const Tensor& dy) { return tensor::zip(tensor::Multiply{}, dy, b); }},
                   {in[1], [=](const Tensor& dy) { return gradient_of_b(dy, a); }}});
  };
  return {"product", name, {{{2, 3}}, {{2, 3}}}, run};
}

Tensor right(const Tensor& dy, const Tensor& a) {
  return tensor::zip(tensor::Multiply{}, dy, tensor::map(tensor::Affine{1, 1}, a));
}

Tensor times(double factor, const Tensor& x) { return tensor::map(tensor::Affine{factor, 0}, x); }

}  // namespace

TEST_CASE("gradcheck passes the right gradient and finds each wrong one") {
  const std::vector<OpCase> wrong = {
      product("wrong sign", [](const Tensor& dy, const Tensor& a) { return times(-1, right(dy, a)); }),
      product("missing term", [](const Tensor& dy, const Tensor& a) { return tensor::zip(tensor::Multiply{}, dy, a); }),
      product("1e-4 too large", [](const Tensor& dy, const Tensor& a) { return times(1 + 1e-4, right(dy, a)); }),
      product("1e-4 too large in one element", [](const Tensor& dy, const Tensor& a) {
        const Tensor gradient = right(dy, a).clone();
        gradient.data<double>()[4] *= 1 + 1e-4;
        return gradient;
      })};
  for (const GradientError& e : gradcheck(product("right", right))) CHECK(e.worst() < 1e-7);
  for (const OpCase& c : wrong) {
    CAPTURE(c.name);
    const std::vector<GradientError> errors = gradcheck(c);
    REQUIRE(errors.size() == 2);
    CHECK(errors[0].worst() < 1e-7);
    CHECK(errors[1].input == 1);
    CHECK(errors[1].elements > 1e-7);
    CHECK(errors[1].direction > 1e-7);
  }
}

TEST_CASE("gradcheck names the case whose input got no gradient") {
  OpCase c = product("product without b", right);
  c.run = [](const std::vector<Variable>& in) { return add(in[0], in[1].detach()); };
  CHECK_REFUSED(gradcheck(c), "product without b gave input 1 no gradient");
}
