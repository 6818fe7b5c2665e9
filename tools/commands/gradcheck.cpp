/// cris gradcheck: every op and every whole model against central differences in f64.
#include <fmt/format.h>

#include "autograd/gradcheck.h"
#include "cris/audit/model_gradcheck.h"
#include "tools/commands/command.h"

namespace tools {

namespace {

Run setup_gradcheck(CLI::App& app) {
  struct Options {
    bool ops_only = false;
    double tolerance = 1e-7;
  };
  auto o = std::make_shared<Options>();
  app.add_flag("--ops-only", o->ops_only, "leave the whole models out");
  app.add_option("--tolerance", o->tolerance, "the largest relative error that passes");
  add_example(app, "gradcheck --ops-only");
  return [o] {
    int passed = 0, failed = 0;
    const auto row = [&](const std::string& name, const std::string& where, double error) {
      const bool ok = error < o->tolerance;  // false for NaN
      ++(ok ? passed : failed);
      fmt::print("{} {:<8.2e} {:<33} {}\n", ok ? "pass" : "FAIL", error, name, where);
    };
    fmt::print("     error    {:<33} {}\n", "op, or model (its parameters)", "worst gradient");
    for (const autograd::OpCase& c : autograd::op_cases()) {
      double worst = 0;
      size_t input = 0;
      for (const autograd::GradientError& e : autograd::gradcheck(c))
        if (!(e.worst() <= worst)) worst = e.worst(), input = e.input;
      row(c.name, fmt::format("input {}", input), worst);
    }
    if (!o->ops_only)
      for (const cris::ModelCheck& check : cris::model_checks()) {
        const cris::ModelGradientError e = cris::gradcheck_model(check);
        row(fmt::format("{} ({})", check.name, e.parameters), e.parameter, e.error);
      }
    fmt::print("{} passed, {} failed\n", passed, failed);
    return int(failed ? kVerification : kOk);
  };
}

const Command gradcheck(70, "gradcheck", "every op and every model against central differences", setup_gradcheck);

}  // namespace

}  // namespace tools
