/// cris parity: this program against PyTorch's numbers, case by case.
#include "cris/audit/parity.h"

#include <fmt/format.h>

#include <memory>

#include "tensor/backend.h"
#include "tools/commands/command.h"

namespace tools {

namespace {

struct Options {
  std::string folder;
  cris::ParityOptions parity;
};

int run(const Options& o) {
  // A device that is not there is one error, not one a case.
  try {
    tensor::backend(o.parity.device).synchronize();
  } catch (const tensor::Error& e) {
    throw Failure(kUsage, e.what());
  }
  int passed = 0, failed = 0;
  cris::run_parity(o.folder, o.parity, [&](const cris::ParityResult& r) {
    ++(r.passed ? passed : failed);
    if (r.failure.empty())
      fmt::print("{:<36} {:<34} {:.2e} {:<40} {}\n", r.name, r.op, r.error, r.tensor, r.passed ? "pass" : "fail");
    else
      fmt::print("{:<36} {:<34} fail: {}\n", r.name, r.op.empty() ? "?" : r.op, r.failure);
    if (!r.note.empty()) fmt::print("    {}\n", r.note);
    std::fflush(stdout);
  });
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? kOk : kVerification;
}

Run setup_parity(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("folder", o->folder, "Folder of *.safetensors cases")->required();
  const std::map<std::string, tensor::Device> devices{
      {"reference", tensor::Device::reference}, {"cpu", tensor::Device::cpu}, {"cuda", tensor::Device::cuda}};
  const std::map<std::string, tensor::DType> dtypes{{"f64", tensor::DType::f64}, {"f32", tensor::DType::f32}};
  app.add_option("--device", o->parity.device, "reference (default), cpu or cuda")
      ->transform(CLI::CheckedTransformer(devices))
      ->default_str("reference");
  const CLI::Option* const dtype =
      app.add_option("--dtype", o->parity.dtype, "f64 (default) or f32, which tf32 and bf16 imply")
          ->transform(CLI::CheckedTransformer(dtypes))
          ->default_str("f64");
  using tensor::Precision;
  const std::map<std::string, Precision> precisions{
      {"exact", Precision::exact}, {"f32", Precision::f32}, {"tf32", Precision::tf32}, {"bf16", Precision::bf16}};
  app.add_option("--precision", o->parity.precision,
                 "how f32 is multiplied: exact, f32 (default); tf32, bf16: cuda, with their own tolerances")
      ->transform(CLI::CheckedTransformer(precisions))
      ->default_str("f32");
  app.add_option("--only", o->parity.only, "Only cases whose name contains this");
  app.add_option("--write", o->parity.write_folder, "Save what was computed to this folder, under the same names");
  return [o, dtype] {
    const bool tensor_cores = o->parity.precision == Precision::tf32 || o->parity.precision == Precision::bf16;
    if (tensor_cores && dtype->empty()) o->parity.dtype = tensor::DType::f32;
    return run(*o);
  };
}

const Command parity(75, "parity", "compare with numbers that PyTorch computed", setup_parity);

}  // namespace

}  // namespace tools
