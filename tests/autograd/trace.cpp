/// The trace: each op and its gradient find each other.
#include "autograd/trace.h"

#include <doctest/doctest.h>

#include "autograd/ops.h"

using namespace autograd;
using tensor::Device;
using tensor::Shape;

TEST_CASE("a trace lists ops with their shapes and gradient norms, then the leaves") {
  const Variable a(Tensor::from(std::vector<float>{3, 4}, Shape{2}, Device::reference), true);
  const Variable unused(Tensor::from(std::vector<float>{1}, Shape{1}, Device::reference), true);
  Trace trace;
  const Variable y = affine(a, 2, 0), side = affine(unused, 1, 0);
  backward(sum(multiply(y, y)));
  const auto& rows = trace.rows();
  REQUIRE(rows.size() == 5);
  const std::vector<std::string> ops{"affine", "affine", "multiply", "sum", "leaf"};
  for (size_t i = 0; i < ops.size(); ++i) CHECK(rows[i].op == ops[i]);
  CHECK(rows[0].shape == Shape{2});
  CHECK(rows[0].bytes == 8);
  CHECK(rows[0].gradient_norm == doctest::Approx(20));  // 2 (6, 8)
  CHECK(rows[1].gradient_norm == -1);
  CHECK(rows[3].gradient_norm == 1);
  CHECK(rows[4].gradient_norm == doctest::Approx(40));
  const std::string text = trace.to_string();
  CHECK(text.find("multiply") != std::string::npos);
  CHECK(text.find("2.0000e+01") != std::string::npos);
}

TEST_CASE("a trace passes events on and gives the observer back") {
  int seen = 0;
  set_observer([&seen](const Observed&) { ++seen; });
  const Variable a(Tensor::from(std::vector<float>{3, 4}, Shape{2}, Device::reference));
  {
    const Trace trace;
    affine(a, 2, 0);
  }
  CHECK(seen == 1);
  affine(a, 2, 0);
  CHECK(seen == 2);
  set_observer({});
  affine(a, 2, 0);
  CHECK(seen == 2);
}
