/// Convolution on the CPU: each shape to its algorithm.
#include "tensor/cpu/conv/conv.h"

#include <algorithm>

#include "tensor/backend.h"
#include "tensor/cpu/conv/direct.h"
#include "tensor/cpu/conv/tile.h"
#include "tensor/cpu/conv/winograd.h"
#include "tensor/cpu/conv/winograd_7x7.h"

namespace tensor::cpu {
namespace {

struct Kernels {
  decltype(&winograd_conv<4, 3>) conv;
  decltype(&winograd_grad_input<4, 3>) grad_input;
  decltype(&winograd_grad_weight<4, 3>) grad_weight;
  int64_t (*scratch[3])(const ConvShape&);  // of each ConvPass
};

/// Entries for kernels that take whole images only.
template <auto conv, auto grad_input, auto grad_weight>
constexpr Kernels whole_images(int64_t (*a)(const ConvShape&), int64_t (*b)(const ConvShape&),
                               int64_t (*c)(const ConvShape&)) {
  return {
      [](const ConvShape& z, const ImageIn& x, const float* w, const float* bias, Activation activation, float* y) {
        conv(z, x.only().data, w, bias, activation, y);
      },
      [](const ConvShape& z, const float* dy, const float* w, const float* bias, const ImageOut& dx) {
        grad_input(z, dy, w, bias, dx.only().data);
      },
      [](const ConvShape& z, const float* dy, const ImageIn& x, float* dw) { grad_weight(z, dy, x.only().data, dw); },
      {a, b, c}};
}

constexpr Kernels kDirect = whole_images<direct_conv, direct_grad_input, direct_grad_weight>(
    direct_conv_scratch, direct_grad_input_scratch, direct_grad_weight_scratch);
template <int M, int R>
constexpr Kernels kWinograd{
    winograd_conv<M, R>,
    winograd_grad_input<M, R>,
    winograd_grad_weight<M, R>,
    {winograd_conv_scratch<M, R>, winograd_grad_input_scratch<M, R>, winograd_grad_weight_scratch<M, R>}};
constexpr Kernels kWinograd7x7 = whole_images<winograd_7x7_conv, winograd_7x7_grad_input, winograd_7x7_grad_weight>(
    winograd_7x7_conv_scratch, winograd_7x7_grad_input_scratch, winograd_7x7_grad_weight_scratch);

/// In the order of ConvAlgorithm.
constexpr Kernels kKernels[] = {kDirect, kWinograd<2, 3>, kWinograd<4, 3>, kWinograd<4, 5>, kWinograd7x7};

const Kernels& kernels_of(const ConvShape& z) { return kKernels[int(conv_algorithm(z, precision()))]; }

const float* data_or_null(const Tensor& b) { return b.defined() ? b.data<float>() : nullptr; }

}  // namespace

ConvAlgorithm conv_algorithm(const ConvShape& z, Precision precision) {
  const int64_t pixels = z.p * z.q;
  const bool same_size = z.r == z.s && z.stride == 1 && z.r == 2 * z.padding + 1;
  if (precision == Precision::exact || !same_size || z.c % kLanes != 0 || z.k % kLanes != 0 || z.flops() == 0)
    return ConvAlgorithm::direct;
  const int64_t tiles_4x4 = divide_up(z.h, 4) * divide_up(z.w, 4), tiles_2x2 = divide_up(z.h, 2) * divide_up(z.w, 2);
  if (z.r == 3)
    return 36 * tiles_4x4 <= 16 * tiles_2x2 ? ConvAlgorithm::winograd_4x4_3x3 : ConvAlgorithm::winograd_2x2_3x3;
  if (z.r == 5 && 64 * tiles_4x4 < 25 * pixels) return ConvAlgorithm::winograd_4x4_5x5;
  if (z.r == 7 && 4 * 49 * tiles_4x4 < 49 * pixels && z.c * z.k <= kWinograd7x7Weights)
    return ConvAlgorithm::winograd_4x4_7x7;
  return ConvAlgorithm::direct;
}

int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass) {
  return kernels_of(z).scratch[int(pass)](z) * int64_t(sizeof(float));
}

int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass, DType dtype) {
  return dtype == DType::f32 ? conv_workspace_bytes(z, pass) : 0;
}

/// f32 and Winograd alone, of parts that are whole vectors of channels.
bool takes_parts(const ConvShape& z, const std::vector<int64_t>& channels, DType dtype) {
  const ConvAlgorithm algorithm = conv_algorithm(z, precision());
  return dtype == DType::f32 && algorithm != ConvAlgorithm::direct && algorithm != ConvAlgorithm::winograd_4x4_7x7 &&
         std::ranges::all_of(channels, [](int64_t c) { return c % kLanes == 0; });
}

void conv2d_parts(const ConvShape& z, const Parts<Tensor>& x, const Tensor& w, const Tensor& b, Activation activation,
                  const Tensor& y) {
  kernels_of(z).conv(z, image_parts<const float>(x), w.data<float>(), data_or_null(b), activation, y.data<float>());
}
void grad_input_parts(const ConvShape& z, const Tensor& dy, const Tensor& w, const Parts<Tensor>& dx) {
  kernels_of(z).grad_input(z, dy.data<float>(), w.data<float>(), nullptr, image_parts<float>(dx));
}
void grad_weight_parts(const ConvShape& z, const Tensor& dy, const Parts<Tensor>& x, const Tensor& dw) {
  kernels_of(z).grad_weight(z, dy.data<float>(), image_parts<const float>(x), dw.data<float>());
}

void conv2d(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
            const Tensor& y) {
  conv2d_parts(z, x, w, b, activation, y);
}
void conv2d_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b, const Tensor& dx) {
  kernels_of(z).grad_input(z, dy.data<float>(), w.data<float>(), data_or_null(b), image_parts<float>(dx));
}
void conv2d_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw) {
  grad_weight_parts(z, dy, x, dw);
}

void add_convolution(Backend& b) {
  b.conv_workspace_bytes = conv_workspace_bytes;
  b.takes_parts = takes_parts;
  b.conv2d_parts = conv2d_parts;
  b.grad_input_parts = grad_input_parts;
  b.grad_weight_parts = grad_weight_parts;
  b.conv2d = conv2d;
  b.conv2d_grad_input = conv2d_grad_input;
  b.conv2d_grad_weight = conv2d_grad_weight;
}

}  // namespace tensor::cpu
