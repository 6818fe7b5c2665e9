/// Convolution by direct sums in f64, one element of the result a thread: what `precision = "exact"` means, the
/// yardstick, and how problems are served whose cost is a launch anyway.
#include "tensor/cuda/conv_kernels.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {
namespace {

template <class T>
__global__ void conv2d_kernel(ConvShape z, const T* x, const Wide<T>* w, const Wide<T>* b, bool relu, T* y) {
  for_each(z.n * z.p * z.q * z.k, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.p, z.q, z.k);
    double total = b ? double(b[at.c]) : 0;
    for (int64_t r = 0; r < z.r; ++r)
      for (int64_t s = 0; s < z.s; ++s) {
        const int64_t row = z.row(at.h, r), column = z.col(at.w, s);
        if (row < 0 || row >= z.h || column < 0 || column >= z.w) continue;
        const T* pixel = x + ((at.n * z.h + row) * z.w + column) * z.c;
        const Wide<T>* weight = w + ((at.c * z.r + r) * z.s + s) * z.c;
        for (int64_t c = 0; c < z.c; ++c) total += double(pixel[c]) * double(weight[c]);
      }
    y[i] = T(relu && total < 0 ? 0 : total);
  });
}

/// Output coordinate whose tap reads `at`; -1 when the stride skips it or it lies outside.
__device__ int64_t reader(int64_t at, int64_t tap, int64_t padding, int64_t stride, int64_t out) {
  const int64_t offset = at + padding - tap;
  if (offset < 0 || offset % stride != 0) return -1;
  return offset / stride < out ? offset / stride : -1;
}

template <class T>
__global__ void grad_input_kernel(ConvShape z, const T* dy, const Wide<T>* w, const Wide<T>* b, T* dx) {
  for_each(z.n * z.h * z.w * z.c, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.h, z.w, z.c);
    double total = b ? double(b[at.c]) : 0;
    for (int64_t r = 0; r < z.r; ++r)
      for (int64_t s = 0; s < z.s; ++s) {
        const int64_t p = reader(at.h, r, z.padding, z.stride, z.p), q = reader(at.w, s, z.padding, z.stride, z.q);
        if (p < 0 || q < 0) continue;
        const T* gradient = dy + ((at.n * z.p + p) * z.q + q) * z.k;
        for (int64_t k = 0; k < z.k; ++k)
          total += double(gradient[k]) * double(w[((k * z.r + r) * z.s + s) * z.c + at.c]);
      }
    dx[i] = T(total);
  });
}

/// Pixels are cut into slices, since weights may be few and pixels many: sums[slice, k, r, s, c], f64 unless there is
/// only one slice.
struct PixelSlices {
  int64_t pixels, slices, pixels_per_slice;
  explicit PixelSlices(const ConvShape& z) : pixels(z.n * z.p * z.q) {
    slices = pixels < 2048 ? 1 : pixels / 1024 > 256 ? 256 : pixels / 1024;
    pixels_per_slice = (pixels + slices - 1) / slices;
  }
};

template <class T, class Sum>
__global__ void grad_weight_kernel(ConvShape z, PixelSlices cut, const T* dy, const T* x, Sum* sums) {
  const int64_t weights = z.k * z.r * z.s * z.c;
  for_each(cut.slices * weights, [=](int64_t i) {
    const Split slice = split(i, weights);
    const Coordinates at = coordinates(slice.remainder, z.r, z.s, z.c);
    const int64_t begin = slice.quotient * cut.pixels_per_slice, beyond = begin + cut.pixels_per_slice;
    double total = 0;
    for (int64_t pixel = begin; pixel < cut.pixels && pixel < beyond; ++pixel) {
      const Coordinates from = coordinates(pixel, z.p, z.q, 1);
      const int64_t row = z.row(from.h, at.h), column = z.col(from.w, at.w);
      if (row >= 0 && row < z.h && column >= 0 && column < z.w)
        total += double(dy[pixel * z.k + at.n]) * double(x[((from.n * z.h + row) * z.w + column) * z.c + at.c]);
    }
    sums[i] = Sum(total);
  });
}

template <class T>
__global__ void add_slices_kernel(const double* sums, int64_t slices, int64_t weights, T* dw) {
  for_each(weights, [=](int64_t i) {
    double total = 0;
    for (int64_t slice = 0; slice < slices; ++slice) total += sums[slice * weights + i];
    dw[i] = T(total);
  });
}

}  // namespace

template <class T>
void conv2d(const ConvShape& z, const T* x, const Wide<T>* w, const Wide<T>* b, Activation activation, T* y) {
  launch("conv2d", &conv2d_kernel<T>, blocks_for(z.n * z.p * z.q * z.k), kThreads, z, x, w, b,
         activation == Activation::relu, y);
}

template <class T>
void conv2d_grad_input(const ConvShape& z, const T* dy, const Wide<T>* w, const Wide<T>* b, T* dx) {
  launch("conv2d_grad_input", &grad_input_kernel<T>, blocks_for(z.n * z.h * z.w * z.c), kThreads, z, dy, w, b, dx);
}

int64_t conv2d_grad_weight_workspace(const ConvShape& z) {
  const int64_t slices = PixelSlices(z).slices;
  return slices > 1 ? slices * z.k * z.r * z.s * z.c : 0;
}

template <class T>
void conv2d_grad_weight(const ConvShape& z, const T* dy, const T* x, double* workspace, Wide<T>* dw) {
  const PixelSlices cut(z);
  const int64_t weights = z.k * z.r * z.s * z.c;
  const dim3 blocks = blocks_for(cut.slices * weights);
  if (cut.slices == 1)
    return launch("conv2d_grad_weight", &grad_weight_kernel<T, Wide<T>>, blocks, kThreads, z, cut, dy, x, dw);
  launch("conv2d_grad_weight", &grad_weight_kernel<T, double>, blocks, kThreads, z, cut, dy, x, workspace);
  launch("add_slices", &add_slices_kernel<Wide<T>>, blocks_for(weights), kThreads,
         static_cast<const double*>(workspace), cut.slices, weights, dw);
}

template void conv2d<float>(const ConvShape&, const float*, const float*, const float*, Activation, float*);
template void conv2d<double>(const ConvShape&, const double*, const double*, const double*, Activation, double*);
template void conv2d<BFloat16>(const ConvShape&, const BFloat16*, const float*, const float*, Activation, BFloat16*);
template void conv2d_grad_input<float>(const ConvShape&, const float*, const float*, const float*, float*);
template void conv2d_grad_input<double>(const ConvShape&, const double*, const double*, const double*, double*);
template void conv2d_grad_input<BFloat16>(const ConvShape&, const BFloat16*, const float*, const float*, BFloat16*);
template void conv2d_grad_weight<float>(const ConvShape&, const float*, const float*, double*, float*);
template void conv2d_grad_weight<double>(const ConvShape&, const double*, const double*, double*, double*);
template void conv2d_grad_weight<BFloat16>(const ConvShape&, const BFloat16*, const BFloat16*, double*, float*);

}  // namespace tensor::cuda
