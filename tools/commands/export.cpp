/// cris export: the model of a run as an ONNX file, for other programs.
#include <fmt/format.h>

#include <algorithm>

#include "cris/evaluate.h"
#include "cris/nonfinite.h"
#include "cris/report/evaluation.h"
#include "cris/run/run_directory.h"
#include "tensor/machine/atomic_file.h"
#include "tensor/ops.h"
#include "tools/commands/config_options.h"
#include "tools/commands/interrupt.h"
#include "tools/exchange/onnx_network.h"

namespace tools {

namespace {

Run setup_export(CLI::App& app) {
  struct Options {
    std::string run, out = "model.onnx", checkpoint = "best";
  };
  auto o = std::make_shared<Options>();
  app.add_option("RUN", o->run, "run directory")->required();
  app.add_option("-o,--out", o->out, "the file to write, .onnx")->type_name("FILE");
  add_checkpoint(app, o->checkpoint);
  add_example(app, "export runs/kvasir -o kvasir.onnx");
  return [o] {
    outlive_reader();
    require_output(o->out, ".onnx", "an ONNX file");
    const cris::Config config = cris::config_of_run(o->run, {.device = "cpu"});
    const auto model = cris::load_model(o->run, config, o->checkpoint);
    const int64_t size = config.data.size;
    const tensor::Tensor p =
        cris::probabilities(*model, tensor::full({1, size, size, 3}, 0.5, tensor::DType::f32, tensor::Device::cpu));
    if (!std::all_of(p.data<float>(), p.data<float>() + p.size(), [](float v) { return v >= 0 && v <= 1; }))
      throw cris::NonFiniteError(
          fmt::format("{}: what this model computes is not finite; the checkpoint is of no use", o->run));
    const double threshold = cris::chosen_threshold(o->run);
    const std::string bytes = onnx_bytes(*model, {{"cris.size", fmt::format("{}", size)},
                                                  {"cris.threshold", fmt::format("{}", threshold)},
                                                  {"cris.config", cris::portable_toml(config)}});
    tensor::write_file_atomically(o->out, bytes);
    fmt::print("{}: {} base {}{}, opset 17\n", o->out, name(config.model.backbone.kind), config.model.backbone.base,
               model->refiner ? " with its refiner" : "");
    fmt::print("input   image [batch, 3, height, width], RGB / 255; height, width multiples of {}\n",
               cris::size_multiple(config.model.backbone.kind));
    fmt::print("output  probability [batch, 1, height, width]; trained at {0} x {0}, threshold {1:.2f}\n", size,
               threshold);
    if (config.model.strategy == cris::Strategy::crf)
      fmt::print("The CRF is not in it: ONNX has no such operator. `cris crf` sharpens the probability maps.\n");
    fmt::print("To compare it with this program, in the source folder: tools/check_onnx.py RUN MODEL.onnx IMAGES\n");
    return int(kOk);
  };
}

const Command export_command(57, "export", "write the model as an ONNX file", setup_export);

}  // namespace

}  // namespace tools
