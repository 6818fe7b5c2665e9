/// Convolution as a matrix product of views on tensor cores: nothing is written out between image and product.
///
/// A block makes kM x kN of the result, 64 bytes of the summed index at a time (16 f32 or 32 bf16), while
/// the copies of the next three tiles are under way. Where the result has too few blocks to fill a device, the sum is
/// cut into slices, whose number the shape alone fixes, and the slices are added in order: no atomics, the same bits
/// from run to run, and on every device of one generation: how a tensor core rounds within a step differs between them.
#include "tensor/cuda/product.cuh"

namespace tensor::cuda {
namespace {

constexpr int kStages = 4;

/// Images that windows of r x s pixels tile: m = window, n = (r, s, c).
struct Tiles {
  int q, r, s, c;
  __device__ int64_t row(int m) const { return (int64_t(m / q * r) * q + m % q) * s * c; }
  __device__ int64_t column(int n) const { return (n / c / s * q * s + n / c % s) * int64_t(c) + n % c; }
};

/// to(m, n) = sum over k in [slice k_per_slice, ...): a's free index is m, b's n.
template <int kM, int kN, class A, class B, class To>
__global__ void __launch_bounds__(kBlock<kM, kN>, kResident<kM, kN>)
    product_kernel(A a, B b, To to, int m, int n, int depth, int k_per_slice) {
  using T = typename A::Element;
  constexpr int kStrideA = kTileStride<A, kM>, kStrideB = kTileStride<B, kN>;
  constexpr int kElementsA = kTileElements<A, kM>, kElements = kElementsA + kTileElements<B, kN>;
  T* const tiles = dynamic_shared<T>();
  const int blocks_n = (n + kN - 1) / kN;
  const int first_m = int(blockIdx.x) / blocks_n * kM, first_n = int(blockIdx.x) % blocks_n * kN;
  const int begin = int(blockIdx.y) * k_per_slice, end = begin + k_per_slice < depth ? begin + k_per_slice : depth;
  const int count = (end - begin + kTileDepth<T> - 1) / kTileDepth<T>;
  WarpTile<kM, kN> mine;
  const bool idle = first_m + mine.m() >= m || first_n + mine.n() >= n;

  typename A::template Reader<kM, kBlock<kM, kN>> read_a(a, first_m, begin, end);
  typename B::template Reader<kN, kBlock<kM, kN>> read_b(b, first_n, begin, end);
  const auto fetch = [&](int tile) {
    if (tile < count) {
      T* const stage = tiles + tile % kStages * kElements;
      read_a.template fetch<kStrideA>(stage);
      read_b.template fetch<kStrideB>(stage + kElementsA);
    }
    commit_copies();  // an empty group too, so that the wait below always counts the same
  };
#pragma unroll
  for (int tile = 0; tile < kStages - 1; ++tile) fetch(tile);
  for (int tile = 0; tile < count; ++tile) {
    wait_for_copies<kStages - 2>();
    // After it all copies of this tile are there, and all warps are done with the stage that is filled next.
    __syncthreads();
    fetch(tile + kStages - 1);
    if (idle) continue;
    __syncwarp();  // the readers' loops may have parted the lanes, which the matrix instructions need together
    const T* const left = tiles + tile % kStages * kElements;
#pragma unroll
    for (int k = 0; k < kTileDepth<T>; k += kMmaDepth<T>)
      mine.template add<B>(left + kElementsA, k,
                           [&](int row, uint32_t(&r)[4]) { operands<Operand::a, A, kM>(left, mine.m() + row, k, r); });
  }
  if (idle) return;
  mine.store(to, first_n, n, [&](int row) { return first_m + row < m ? to.place.row(first_m + row) : kNowhere; });
}

/// Which convolutions' images may be taken in tall blocks.
template <class T>
constexpr bool kTall = std::is_same_v<T, BFloat16>;

template <int kM, int kN, class A, class B, class To>
void launch_product(const char* name, const ProductPlan& plan, A a, B b, const To& to, int64_t m, int64_t n,
                    int64_t depth) {
  constexpr int kBytes = kStages * (kTileElements<A, kM> + kTileElements<B, kN>)*int(sizeof(typename A::Element));
  launch_with_shared(name, &product_kernel<kM, kN, A, B, To>, dim3(unsigned(plan.blocks), unsigned(plan.slices)),
                     kBlock<kM, kN>, kBytes, a, b, to, int(m), int(n), int(depth), int(plan.k_per_slice));
}

/// kTall: there are blocks of 256 rows too.
template <bool kTall = false, class A, class B, class To>
void product(const char* name, const ProductPlan& plan, A a, B b, To to, int64_t m, int64_t n, int64_t depth) {
  if (plan.slices == 1) to.partial = nullptr;
  with_block<kTall>(plan, [&]<int kM, int kN>() { launch_product<kM, kN>(name, plan, a, b, to, m, n, depth); });
  add_slices(plan, to);
}

/// turned[c, r, s, k] = w[k, R-1-r, S-1-s, c], 0 from z.k on to `filters`.
template <class T>
__global__ void turn_weight_kernel(ConvShape z, int64_t filters, const T* w, T* turned) {
  for_each(z.c * z.r * z.s * filters, [=](int64_t i) {
    const Coordinates at = coordinates(i, z.r, z.s, filters);
    turned[i] = T(at.c < z.k ? w[((at.c * z.r + z.r - 1 - at.h) * z.s + z.s - 1 - at.w) * z.c + at.n] : T(0));
  });
}

template <class From>
__global__ void pad_channels_kernel(const From* x, int64_t rows, int64_t channels, BFloat16* y) {
  for_each(rows, [=](int64_t row) {
    Pack<BFloat16, 8> v;
    for (int c = 0; c < 8; ++c) v.of[c] = c < channels ? BFloat16(float(x[row * channels + c])) : BFloat16(0);
    store(y + row * 8, v);
  });
}

}  // namespace

template <class From>
void pad_channels(const From* x, int64_t rows, int64_t channels, BFloat16* y) {
  launch("pad_channels", &pad_channels_kernel<From>, blocks_for(rows), kThreads, x, rows, channels, y);
}

template <class T>
int64_t conv2d_mma_workspace(const ConvShape& z) {
  const int64_t pixels = z.n * z.p * z.q;
  return ProductPlan(pixels, z.k, z.r * z.s * z.c, kTileDepth<T>, kTall<T>).workspace(pixels, z.k);
}

template <class T>
void conv2d_mma(const ConvShape& z, const T* x, const T* w, const float* b, Activation activation, float* workspace,
                T* y) {
  const int64_t pixels = z.n * z.p * z.q, depth = z.r * z.s * z.c;
  const Store<T, Steps> to{b, activation == Activation::relu, y, workspace, {z.k, 1}, z.k, pixels * z.k};
  product<kTall<T>>("conv2d", ProductPlan(pixels, z.k, depth, kTileDepth<T>, kTall<T>),
                    PatchRows<T>{x, PatchWindows(z)}, MatrixRows<T>{w, int(z.k), int(depth)}, to, pixels, z.k, depth);
}

template <class T>
void turn_weight(const ConvShape& z, int64_t filters, const T* w, T* turned) {
  launch("turn_weight", &turn_weight_kernel<T>, blocks_for(filters * z.r * z.s * z.c), kThreads, z, filters, w, turned);
}

int64_t conv2d_tiles_mma_workspace(const ConvShape& z) {
  const int64_t windows = z.n * z.p * z.q, taps = z.r * z.s * z.c;
  return ProductPlan(windows, taps, z.k, kTileDepth<BFloat16>, false).workspace(windows, taps);
}

void conv2d_tiles_mma(const ConvShape& z, const BFloat16* dy, const BFloat16* w, const float* b, float* workspace,
                      BFloat16* dx) {
  const int64_t windows = z.n * z.p * z.q, taps = z.r * z.s * z.c;
  const Tiles tiles{int(z.q), int(z.r), int(z.s), int(z.c)};
  const Store<BFloat16, Tiles> to{b, false, dx, workspace, tiles, z.c, windows * taps};
  product("conv2d_grad_input", ProductPlan(windows, taps, z.k, kTileDepth<BFloat16>, false),
          MatrixRows<BFloat16>{dy, int(windows), int(z.k)}, MatrixColumns<BFloat16>{w, int(taps)}, to, windows, taps,
          z.k);
}

template <class T>
int64_t conv2d_grad_weight_mma_workspace(const ConvShape& z) {
  const int64_t taps = z.r * z.s * z.c;
  return ProductPlan(taps, z.k, z.n * z.p * z.q, kTileDepth<T>, false).workspace(taps, z.k);
}

template <class T>
void conv2d_grad_weight_mma(const ConvShape& z, int64_t filters, const T* dy, const T* x, float* workspace, float* dw) {
  // Filters as columns: few of them leave no half of a block idle.
  const int64_t pixels = z.n * z.p * z.q, taps = z.r * z.s * z.c;
  const Store<float, Steps> to{nullptr, false, dw, workspace, {1, taps}, taps, taps * z.k};
  product("conv2d_grad_weight", ProductPlan(taps, z.k, pixels, kTileDepth<T>, false),
          PatchColumns<T>{x, PatchWindows(z)}, MatrixColumns<T>{dy, int(filters)}, to, taps, z.k, pixels);
}

template void pad_channels(const float*, int64_t, int64_t, BFloat16*);
template void pad_channels(const BFloat16*, int64_t, int64_t, BFloat16*);
template int64_t conv2d_mma_workspace<float>(const ConvShape&);
template int64_t conv2d_mma_workspace<BFloat16>(const ConvShape&);
template void conv2d_mma(const ConvShape&, const float*, const float*, const float*, Activation, float*, float*);
template void conv2d_mma(const ConvShape&, const BFloat16*, const BFloat16*, const float*, Activation, float*,
                         BFloat16*);
template void turn_weight(const ConvShape&, int64_t, const float*, float*);
template void turn_weight(const ConvShape&, int64_t, const BFloat16*, BFloat16*);
template int64_t conv2d_grad_weight_mma_workspace<float>(const ConvShape&);
template int64_t conv2d_grad_weight_mma_workspace<BFloat16>(const ConvShape&);
template void conv2d_grad_weight_mma(const ConvShape&, int64_t, const float*, const float*, float*, float*);
template void conv2d_grad_weight_mma(const ConvShape&, int64_t, const BFloat16*, const BFloat16*, float*, float*);

}  // namespace tensor::cuda
