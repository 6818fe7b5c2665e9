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

/// A column for names of cases, unless a long name of a tensor needs the room: a line has 80 characters.
size_t name_width(const std::string& tensor) { return tensor.size() > 32 ? 65 - tensor.size() : 32; }

int run(const Options& o) {
  // A device that is not there is one error, not one a case.
  try {
    tensor::backend(o.parity.device).synchronize();
  } catch (const tensor::Error& e) {
    throw Failure(kUsage, "{}", e.what());
  }
  int passed = 0, failed = 0;
  cris::run_parity(o.folder, o.parity, [&](const cris::ParityResult& r) {
    ++(r.passed ? passed : failed);
    if (r.failure.empty())
      fmt::print("{} {:.2e} {:<{}} {}\n", r.passed ? "pass" : "fail", r.error, r.name, name_width(r.tensor), r.tensor);
    else
      fmt::print("fail {}: {}\n", r.name, r.failure);
    if (!r.note.empty()) fmt::print("    {}\n", r.note);
    std::fflush(stdout);
  });
  fmt::print("{} passed, {} failed\n", passed, failed);
  return failed == 0 ? kOk : kVerification;
}

Run setup_parity(CLI::App& app) {
  auto o = std::make_shared<Options>();
  app.add_option("DIR", o->folder, "folder of *.safetensors cases: tests/vectors of the source")->required();
  add_choice(app, "--device", o->parity.device, "who computes", {"reference", "cpu", "cuda"});
  const CLI::Option* const dtype =
      add_choice(app, "--dtype", o->parity.dtype, "of the arithmetic; tf32 and bf16 imply f32", {"f64", "f32"});
  add_choice(app, "--precision", o->parity.precision,
             "how f32 is multiplied; tf32, bf16: cuda, with their own tolerances");
  app.add_option("--only", o->parity.only, "only cases whose name contains this");
  app.add_option("--write", o->parity.write_folder, "save what was computed to this folder, under the same names")
      ->type_name("DIR");
  add_example(app, "parity tests/vectors");
  return [o, dtype] {
    if (tensor::needs_cuda(o->parity.precision) && dtype->empty()) o->parity.dtype = tensor::DType::f32;
    return run(*o);
  };
}

const Command parity(75, "parity", "compare with numbers that PyTorch computed", setup_parity);

}  // namespace

}  // namespace tools
