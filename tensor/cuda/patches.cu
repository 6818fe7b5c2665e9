/// Convolution's patches written out as a matrix, for a matrix product, and the transpose of writing them.
#include "tensor/cuda/conv_kernels.h"
#include "tensor/cuda/pack.h"

namespace tensor::cuda {
namespace {

template <class T>
__global__ void gather_patches_kernel(ConvShape z, const T* x, T* patches) {
  for_each(z.n * z.p * z.q * z.r * z.s * z.c, [=](int64_t i) {
    const Split pixel = split(i, z.r * z.s * z.c);
    const Coordinates tap = coordinates(pixel.remainder, z.r, z.s, z.c);
    const Coordinates at = coordinates(pixel.quotient, z.p, z.q, 1);
    const int64_t row = z.row(at.h, tap.h), column = z.col(at.w, tap.w);
    const bool inside = row >= 0 && row < z.h && column >= 0 && column < z.w;
    patches[i] = inside ? x[((at.n * z.h + row) * z.w + column) * z.c + tap.c] : T(0);
  });
}

/// A thread takes N channels; N divides their number.
template <class T, int N>
__global__ void sum_patches_kernel(ConvShape z, const T* patches, const Wide<T>* b, T* dx) {
  for_each(z.n * z.h * z.w * z.c / N, [=](int64_t pack) {
    const Coordinates at = coordinates(pack * N, z.h, z.w, z.c);
    Wide<T> total[N];
    for (int e = 0; e < N; ++e) total[e] = b ? b[at.c + e] : 0;
    for (int64_t r = 0; r < z.r; ++r) {
      const int64_t down = at.h + z.padding - r;
      if (down < 0 || down % z.stride != 0 || down / z.stride >= z.p) continue;
      for (int64_t s = 0; s < z.s; ++s) {
        const int64_t across = at.w + z.padding - s;
        if (across < 0 || across % z.stride != 0 || across / z.stride >= z.q) continue;
        const int64_t pixel = (at.n * z.p + down / z.stride) * z.q + across / z.stride;
        const Pack<T, N> v = load<N>(patches + ((pixel * z.r + r) * z.s + s) * z.c + at.c);
        for (int e = 0; e < N; ++e) total[e] += v.of[e];
      }
    }
    Pack<T, N> sums;
    for (int e = 0; e < N; ++e) sums.of[e] = T(total[e]);
    store(dx + pack * N, sums);
  });
}

}  // namespace

template <class T>
void gather_patches(const ConvShape& z, const T* x, T* patches) {
  launch("gather_patches", &gather_patches_kernel<T>, blocks_for(z.n * z.p * z.q * z.r * z.s * z.c), kThreads, z, x,
         patches);
}

template <class T>
void sum_patches(const ConvShape& z, const T* patches, const Wide<T>* b, T* dx) {
  with_channel_pack(z.c, [&]<int N>() {
    launch("sum_patches", &sum_patches_kernel<T, N>, blocks_for(z.n * z.h * z.w * z.c / N), kThreads, z, patches, b,
           dx);
  });
}

template void gather_patches(const ConvShape&, const float*, float*);
template void gather_patches(const ConvShape&, const double*, double*);
template void gather_patches(const ConvShape&, const BFloat16*, BFloat16*);
template void sum_patches<float>(const ConvShape&, const float*, const float*, float*);
template void sum_patches<double>(const ConvShape&, const double*, const double*, double*);
template void sum_patches<BFloat16>(const ConvShape&, const BFloat16*, const float*, BFloat16*);

}  // namespace tensor::cuda
