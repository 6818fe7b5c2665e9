/// Every row of the table of op cases: gradients, parity of devices, the same bits however often and by however many
/// threads.
#include <doctest/doctest.h>
#include <fmt/ranges.h>

#include <fstream>
#include <regex>
#include <set>

#include "autograd/gradcheck.h"
#include "autograd/op_cases.h"
#include "tests/tensor/expect.h"
#include "tests/threads.h"

using namespace autograd;
using tensor::Device;
using tensor::DType;

namespace {

/// Whether the results, and the gradients that there are, have the same bits.
bool same(const CaseResult& a, const CaseResult& b) {
  bool all = same_bits(a.y, b.y);
  for (size_t i = 0; i < a.gradients.size(); ++i)
    all &= !a.gradients[i].defined() || same_bits(a.gradients[i], b.gradients[i]);
  return all;
}

}  // namespace

TEST_CASE("every gradient agrees with central differences to 1e-7") {
  for (const OpCase& c : op_cases()) {
    for (const GradientError& e : gradcheck(c)) {
      CAPTURE(c.name);
      CAPTURE(e.input);
      CHECK(e.elements < 1e-7);
      CHECK(e.direction < 1e-7);
    }
  }
}

TEST_CASE("f32 on the cpu and on the reference agrees with f64 on the reference") {
  for (const OpCase& c : op_cases()) {
    CAPTURE(c.name);
    const CaseResult exact = run_case(c, case_inputs(c, DType::f64, Device::reference));
    for (const Device device : {Device::reference, Device::cpu}) {
      const std::string where = tensor::name(device);
      CAPTURE(where);
      const CaseResult result = run_case(c, case_inputs(c, DType::f32, device));
      CHECK(result.y.shape() == exact.y.shape());
      CHECK(tensor::relative_error(result.y.to_vector(), exact.y.to_vector()) < c.tolerance);
      for (size_t i = 0; i < exact.gradients.size(); ++i) {
        CAPTURE(i);
        REQUIRE(result.gradients[i].defined() == exact.gradients[i].defined());
        if (!exact.gradients[i].defined()) continue;
        CHECK(result.gradients[i].shape() == exact.gradients[i].shape());
        CHECK(tensor::relative_error(result.gradients[i].to_vector(), exact.gradients[i].to_vector()) < c.tolerance);
      }
    }
  }
}

TEST_CASE("the same bits twice, and by 1, 2 or 3 threads") {
  for (const OpCase& c : op_cases()) {
    CAPTURE(c.name);
    const std::vector<Tensor> inputs = case_inputs(c, DType::f32, Device::cpu);
    const Threads one(1);
    const CaseResult once = run_case(c, inputs);
    CHECK(same(run_case(c, inputs), once));
    for (const int count : {2, 3}) {
      const Threads more(count);
      CHECK(same(run_case(c, inputs), once));
    }
  }
}

TEST_CASE("a case leaves its inputs as they were") {
  for (const OpCase& c : op_cases()) {
    CAPTURE(c.name);
    const std::vector<Tensor> inputs = case_inputs(c, DType::f32, Device::cpu),
                              same = case_inputs(c, DType::f32, Device::cpu);
    run_case(c, inputs);
    for (size_t i = 0; i < inputs.size(); ++i) CHECK(inputs[i].to_vector() == same[i].to_vector());
  }
}

TEST_CASE("every function that ops.h declares has rows in the table, and every row has its function") {
  std::ifstream file(CRIS_SOURCE_DIR "/autograd/ops.h");
  REQUIRE(file.good());
  const std::regex declaration(R"(^(?:Variable|Pooled) (\w+)\()");
  std::set<std::string> declared, covered;
  for (std::string line; std::getline(file, line);) {
    std::smatch match;
    if (std::regex_search(line, match, declaration)) declared.insert(match[1]);
  }
  CHECK(declared.size() >= 20);
  for (const OpCase& c : op_cases()) covered.insert(c.op);
  CHECK(fmt::format("{}", fmt::join(declared, " ")) == fmt::format("{}", fmt::join(covered, " ")));
}

TEST_CASE("names of cases are unique") {
  std::set<std::string> names;
  for (const auto* table : {&op_cases(), &large_op_cases()})
    for (const OpCase& c : *table) CHECK_MESSAGE(names.insert(c.name).second, c.name);
}
