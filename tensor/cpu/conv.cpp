/// Convolution on the CPU: each shape to its algorithm.
#include "tensor/cpu/conv.h"

#include "tensor/cpu/backend.h"
#include "tensor/cpu/direct.h"
#include "tensor/cpu/tile.h"
#include "tensor/cpu/winograd.h"

namespace tensor::cpu {
namespace {

const float* data_or_null(const Tensor& b) { return b.defined() ? b.data<float>() : nullptr; }

}  // namespace

ConvAlgorithm conv_algorithm(const ConvShape& z, Precision precision) {
  const int64_t products = z.n * z.p * z.q * z.k * z.r * z.s * z.c;
  if (precision == Precision::exact || !winograd_serves(z) || products <= kWideProducts) return ConvAlgorithm::direct;
  const int64_t products_4x4 = 36 * divide_up(z.h, 4) * divide_up(z.w, 4);
  const int64_t products_2x2 = 16 * divide_up(z.h, 2) * divide_up(z.w, 2);
  return products_4x4 <= products_2x2 ? ConvAlgorithm::winograd_4x4 : ConvAlgorithm::winograd_2x2;
}

int64_t conv_workspace_bytes(const ConvShape& z, ConvPass pass) {
  using Floats = int64_t (*)(const ConvShape&);
  constexpr Floats kFloats[3][3] = {
      {direct_conv_scratch, direct_grad_input_scratch, direct_grad_weight_scratch},
      {winograd_conv_scratch<2>, winograd_grad_input_scratch<2>, winograd_grad_weight_scratch<2>},
      {winograd_conv_scratch<4>, winograd_grad_input_scratch<4>, winograd_grad_weight_scratch<4>}};
  return kFloats[int(conv_algorithm(z, precision()))][int(pass)](z) * int64_t(sizeof(float));
}

void CpuBackend::conv2d(const ConvShape& z, const Tensor& x, const Tensor& w, const Tensor& b, Activation activation,
                        const Tensor& y) {
  if (x.dtype() != DType::f32) return ReferenceBackend::conv2d(z, x, w, b, activation, y);
  constexpr decltype(&direct_conv) kConv[] = {direct_conv, winograd_conv<2>, winograd_conv<4>};
  kConv[int(conv_algorithm(z, precision()))](z, x.data<float>(), w.data<float>(), data_or_null(b), activation,
                                             y.data<float>());
}

void CpuBackend::conv2d_grad_input(const ConvShape& z, const Tensor& dy, const Tensor& w, const Tensor& b,
                                   const Tensor& dx) {
  if (dy.dtype() != DType::f32) return ReferenceBackend::conv2d_grad_input(z, dy, w, b, dx);
  constexpr decltype(&direct_grad_input) kGrad[] = {direct_grad_input, winograd_grad_input<2>, winograd_grad_input<4>};
  kGrad[int(conv_algorithm(z, precision()))](z, dy.data<float>(), w.data<float>(), data_or_null(b), dx.data<float>());
}

void CpuBackend::conv2d_grad_weight(const ConvShape& z, const Tensor& dy, const Tensor& x, const Tensor& dw) {
  if (x.dtype() != DType::f32) return ReferenceBackend::conv2d_grad_weight(z, dy, x, dw);
  constexpr decltype(&direct_grad_weight) kGrad[] = {direct_grad_weight, winograd_grad_weight<2>,
                                                     winograd_grad_weight<4>};
  kGrad[int(conv_algorithm(z, precision()))](z, dy.data<float>(), x.data<float>(), dw.data<float>());
}

}  // namespace tensor::cpu
