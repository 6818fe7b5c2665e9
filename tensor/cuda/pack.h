/// Neighbouring elements that a thread loads and stores at once: a memory-bound kernel needs that many bytes under way.
#pragma once
#include "tensor/bfloat16.h"
#include "tensor/cuda/launch.h"

namespace tensor::cuda {

template <class T, int N>
struct alignas(sizeof(T) * N) Pack {
  T of[N];
};

/// from and to are multiples of the pack's bytes.
template <int N, class T>
__device__ __forceinline__ Pack<T, N> load(const T* from) {
  return *reinterpret_cast<const Pack<T, N>*>(from);
}
template <class T, int N>
__device__ __forceinline__ void store(T* to, const Pack<T, N>& pack) {
  *reinterpret_cast<Pack<T, N>*>(to) = pack;
}

/// How many elements a thread takes of tensors that start where a pack may: 16 bytes.
template <class T>
constexpr int kPack = 16 / int(sizeof(T));
/// How many channels it takes where their number is a multiple of it, else one.
constexpr int kChannelPack = 4;

/// Calls f.template operator()<N>(first) for packs of elements and <1> for the rest, in [0, n), split over the grid.
template <int N, class F>
__device__ __forceinline__ void for_each_pack(int64_t n, F f) {
  for_each((n + N - 1) / N, [=](int64_t pack) {
    if ((pack + 1) * N <= n) return f.template operator()<N>(pack * N);
    for (int64_t i = pack * N; i < n; ++i) f.template operator()<1>(i);
  });
}

/// Calls f.template operator()<N>() with the channels that a thread takes.
template <class F>
void with_channel_pack(int64_t channels, F f) {
  channels % kChannelPack == 0 ? f.template operator()<kChannelPack>() : f.template operator()<1>();
}

}  // namespace tensor::cuda
