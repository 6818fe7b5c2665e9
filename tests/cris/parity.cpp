/// The PyTorch vectors of tests/vectors, and the parity tool's own refusals.
#include "cris/audit/parity.h"

#include <doctest/doctest.h>

#include "nn/safetensors.h"
#include "tests/scratch.h"

using namespace cris;

namespace {

const std::string kVectors = std::string(CRIS_TEST_DATA) + "/../vectors";

std::vector<ParityResult> run(const std::string& folder, const ParityOptions& options) {
  std::vector<ParityResult> results;
  run_parity(folder, options, [&](const ParityResult& r) { results.push_back(r); });
  return results;
}

void check_all(const ParityOptions& options) {
  const auto results = run(kVectors, options);
  CHECK(results.size() > 60);
  for (const ParityResult& r : results) {
    CAPTURE(r.name);
    CAPTURE(r.tensor);
    CAPTURE(r.error);
    CAPTURE(r.failure);
    CHECK(r.passed);
  }
}

}  // namespace

TEST_CASE("PyTorch's numbers: reference, f64") { check_all({}); }

TEST_CASE("PyTorch's numbers: cpu, f32") { check_all({.device = tensor::Device::cpu, .dtype = tensor::DType::f32}); }

TEST_CASE("parity refuses by name what it lacks, and sees a wrong number") {
  const Scratch folder;
  const auto one = [&](const std::string& name, const std::string& op, const std::string& options, double y) {
    nn::SafeTensors file;
    file.metadata = {{"op", op}, {"options", options}};
    file.tensors["input.x"] = nn::stored(std::vector<double>{-1, 2}, {1, 2, 1, 1});
    file.tensors["output.y"] = nn::stored(std::vector<double>{0, y}, {1, 2, 1, 1});
    nn::write_safetensors(folder / name + ".safetensors", file);
  };
  one("a_right", "relu", "{}", 2);
  one("b_wrong", "relu", "{}", 2.001);
  one("c_unknown", "gelu", "{}", 2);
  one("d_option", "relu", R"({"slope": 0.1})", 2);
  one("e_nan", "relu", "{}", std::numeric_limits<double>::quiet_NaN());
  const auto results = run(folder.path, {.write_folder = folder / "out"});
  REQUIRE(results.size() == 5);
  CHECK(results[0].passed);
  CHECK_FALSE(results[1].passed);
  CHECK(results[1].tensor == "output.y");
  CHECK(results[1].error == doctest::Approx(0.001 / 2.001));
  CHECK_FALSE(results[2].passed);
  CHECK(results[2].failure.find("gelu") != std::string::npos);
  CHECK_FALSE(results[3].passed);
  CHECK(results[3].failure.find("slope") != std::string::npos);
  CHECK_FALSE(results[4].passed);
  const auto written = nn::read_safetensors(folder / "out/b_wrong.safetensors");
  CHECK(written.tensors.at("output.y").values() == std::vector<double>{0, 2});
  CHECK(run(folder.path, {.only = "right"}).size() == 1);
  CHECK_THROWS_AS(run(folder.path, {.only = "nothing like it"}), tensor::Error);
  CHECK_THROWS_AS(run(folder / "absent", {}), tensor::Error);
}
