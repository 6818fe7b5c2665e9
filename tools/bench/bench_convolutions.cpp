/// cris bench convolutions: what the rules that choose an algorithm by shape should say.
#include "tools/bench/bench_convolutions.h"
#include "tensor/cuda/convolution.h"

#include <fmt/format.h>

#include <cstdio>

#include "tensor/machine/allocator.h"
#include "tensor/ops.h"
#include "tools/bench/shortest.h"

namespace tools {

namespace {

using tensor::Tensor;

struct Layer {
  int64_t size, channels, filters, kernel, stride, padding;
};

/// Encoder and decoder of a U-Net, each shape once; stride 2 stands for the decoder's transposed convolutions.
std::vector<Layer> unet_layers(const cris::Config& c) {
  const int64_t size = c.data.size, base = c.model.backbone.base;
  std::vector<Layer> layers{{size, 3, base, 3, 1, 1}};
  for (int level = 0; level < 5; ++level) {
    const int64_t extent = size >> level, width = base << level;
    if (extent < 2) break;
    if (level > 0) layers.push_back({extent, width / 2, width, 3, 1, 1});
    layers.push_back({extent, width, width, 3, 1, 1});
    if (level < 4) layers.push_back({extent, 2 * width, width, 3, 1, 1});
    if (level < 4) layers.push_back({extent, width, 2 * width, 2, 2, 0});
  }
  layers.push_back({size, base, 1, 1, 1, 0});
  return layers;
}

constexpr std::pair<tensor::ConvPass, const char*> kPasses[] = {{tensor::ConvPass::forward, "forward"},
                                                                {tensor::ConvPass::grad_input, "grad input"},
                                                                {tensor::ConvPass::grad_weight, "grad weight"}};

/// The algorithm that a convolution takes; "" where the one that it is forced to take does not serve it.
std::string taken(const tensor::ConvShape& z, tensor::ConvPass pass, tensor::DType kept) {
  try {
    return tensor::cuda::conv_method(z, pass, kept);
  } catch (const tensor::Error&) {
    return "";
  }
}

/// Time and rate of one pass on images kept as `kept`.
std::string timed(tensor::Device device, tensor::ConvPass pass, const Tensor& x, const Tensor& w, const Tensor& dy,
                  const tensor::ConvOptions& options, tensor::DType kept, double flops) {
  try {
    const Tensor image = tensor::cast(x, kept), gradient = tensor::cast(dy, kept);
    const double seconds = shortest(6, [&] {
      if (pass == tensor::ConvPass::forward) tensor::conv2d(image, w, {}, options);
      if (pass == tensor::ConvPass::grad_input) tensor::conv2d_grad_input(gradient, w, x.shape(), options);
      if (pass == tensor::ConvPass::grad_weight) tensor::conv2d_grad_weight(gradient, image, w.shape(), options);
      tensor::backend(device).synchronize();
    });
    return fmt::format("{:.3f} ms {:.0f} GF", 1e3 * seconds, flops / seconds / 1e9);
  } catch (const tensor::OutOfMemory&) {
    return "no memory";
  }
}

}  // namespace

void bench_convolutions(const cris::Config& config) {
  const tensor::Device device = config.run.device;
  if (device != tensor::Device::cuda)
    throw cris::ConfigError(fmt::format(
        "bench convolutions: device {} has no algorithms to choose among; --device cuda has", name(device)));
  const auto methods = tensor::cuda::conv_methods();
  fmt::print("{:<34} {:<12}", "convolution, batch " + std::to_string(config.train.batch), "pass");
  std::vector<std::pair<tensor::Precision, std::string>> columns;
  for (const auto precision : {tensor::Precision::f32, tensor::Precision::tf32, tensor::Precision::bf16})
    for (const auto& method : methods)
      // Direct sums are the same in tf32 as in f32, which tensor cores do not serve; windows share pixels of bf16 only.
      if (method == "patches" || precision == tensor::Precision::bf16 ||
          (method != "windows" && (method == "direct") == (precision == tensor::Precision::f32)))
        columns.emplace_back(precision, method);
  for (const auto& [precision, method] : columns) fmt::print(" {:>20}", method + " " + name(precision));
  fmt::print("\n");
  const auto before = tensor::precision();
  for (const Layer& l : unet_layers(config)) {
    const auto draw = [&](const tensor::Shape& s) {
      return tensor::uniform({3, 1, 0}, s, -1, 1, tensor::DType::f32, device);
    };
    const tensor::ConvOptions options{.stride = l.stride, .padding = l.padding};
    const Tensor x = draw({config.train.batch, l.size, l.size, l.channels});
    const Tensor w = draw({l.filters, l.kernel, l.kernel, l.channels});
    const tensor::ConvShape z = tensor::conv_shape(x.shape(), w.shape(), options);
    const Tensor dy = draw({z.n, z.p, z.q, z.k});
    for (const auto& [pass, pass_name] : kPasses) {
      fmt::print("{:<34} {:<12}",
                 fmt::format("{}x{} {}->{} {}x{} stride {}", l.size, l.size, l.channels, l.filters, l.kernel, l.kernel,
                             l.stride),
                 pass_name);
      for (const auto& [precision, method] : columns) {
        tensor::set_precision(precision);
        const tensor::DType kept = tensor::backend(device).activation_type(tensor::DType::f32);
        tensor::cuda::force_conv_method("");
        const bool chosen = taken(z, pass, kept) == method;
        tensor::cuda::force_conv_method(method);
        std::string cell = "-";
        if (!taken(z, pass, kept).empty()) cell = timed(device, pass, x, w, dy, options, kept, z.flops());
        if (chosen) cell += " *";
        fmt::print(" {:>20}", cell);
      }
      fmt::print("\n");
      std::fflush(stdout);
    }
  }
  fmt::print("\n*: what the rules choose; -: the algorithm does not serve this convolution; GF: GFLOP/s\n");
  tensor::cuda::force_conv_method("");
  tensor::set_precision(before);
}

}  // namespace tools
