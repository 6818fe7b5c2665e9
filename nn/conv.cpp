/// The layers keep parameters and options; the arithmetic is that of autograd/conv.cpp.
#include "nn/conv.h"

namespace nn {

using tensor::check;
using tensor::Shape;

namespace {

void check_options(const char* layer, const ConvLayerOptions& o) {
  check(o.in > 0 && o.out > 0, "{}: {} channels to {}: both must be at least 1", layer, o.in, o.out);
  check(o.kernel > 0 && o.stride > 0 && o.padding >= 0, "{}: kernel {}, stride {}, padding {} do not make a window",
        layer, o.kernel, o.stride, o.padding);
}

}  // namespace

Conv2d::Conv2d(const ConvLayerOptions& o) : options(o) {
  check_options("Conv2d", o);
  make({o.out, o.kernel, o.kernel, o.in}, o.out, o.bias);
}

Variable Conv2d::operator()(const Parts<Variable>& x) const {
  return autograd::conv2d(x, weight, bias, {.stride = options.stride, .padding = options.padding}, options.activation);
}

void Conv2d::initialize(const Initializer& init, const std::string& path) {
  const double summands = double(options.in * options.kernel * options.kernel);
  init.fill(path, {summands, summands, options.before_relu}, weight, bias);
}

ConvTranspose2d::ConvTranspose2d(const ConvLayerOptions& o) : options(o) {
  check_options("ConvTranspose2d", o);
  check(o.activation == tensor::Activation::none, "ConvTranspose2d: applies no activation; put one after it");
  make({o.in, o.kernel, o.kernel, o.out}, o.out, o.bias);
}

Variable ConvTranspose2d::operator()(const Variable& x) const {
  return autograd::conv_transpose2d(x, weight, bias, {.stride = options.stride, .padding = options.padding});
}

void ConvTranspose2d::initialize(const Initializer& init, const std::string& path) {
  const double taps = double(options.kernel * options.kernel), stride = double(options.stride);
  // Only every stride-th tap along each axis reaches a given output pixel.
  const double summands = std::max(1.0, double(options.in) * taps / (stride * stride));
  init.fill(path, {summands, double(options.out) * taps, options.before_relu}, weight, bias);
}

}  // namespace nn
