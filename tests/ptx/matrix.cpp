/// "Warp Level Matrix Instructions": ldmatrix and mma.sync; and shfl.sync.
///
/// Lane l = 4 g + t. Sums follow the published model of Hopper's tensor cores (MMA-Sim, arXiv 2511.10909): the products
/// and the accumulator are aligned to the largest exponent among them, cut to 25 bits, added exactly, and the sum is
/// cut to f32's 24.
#include <array>
#include <cmath>

#include "tests/ptx/block.h"
#include "tests/ptx/operation.h"

namespace ptx {
namespace {

/// x, 0 or finite, as significand 2^(exponent - 23) with the leading one of a normal number at bit 23.
int exponent_of(float x) {
  const int e = int(std::bit_cast<uint32_t>(x) >> 23 & 0xff);
  return (e ? e : 1) - 127;
}

/// d = c + the sum of a[k] b[k].
template <int kDepth>
float dot(float c, const float* a, const float* b) {
  std::array<double, kDepth> products;
  int most = c == 0 ? -1000 : exponent_of(c);
  bool finite = std::isfinite(c);
  for (int k = 0; k < kDepth; ++k) {
    products[size_t(k)] = double(a[k]) * double(b[k]);  // exact
    finite &= std::isfinite(a[k]) && std::isfinite(b[k]);
    if (products[size_t(k)] != 0) most = std::max(most, exponent_of(a[k]) + exponent_of(b[k]));
  }
  if (!finite) {
    double sum = double(c);
    for (const double p : products) sum += p;
    return float(sum);
  }
  if (most == -1000) return 0;
  // 25 bits with the leading one of the largest exponent at weight 2^most: the lowest weighs 2^(most - 24).
  const double up = std::ldexp(1.0, 24 - most);
  double sum = std::trunc(double(c) * up);
  for (const double p : products) sum += std::trunc(p * up);
  const double exact = std::ldexp(sum, most - 24);
  float cut = float(exact);
  if (std::fabs(double(cut)) > std::fabs(exact)) cut = std::nextafterf(cut, 0.0f);
  return cut;
}

/// "Matrix Fragments for mma.m16n8k8 (.tf32)" and "for mma.m16n8k16 (.bf16)": operands a0.. at 4, b0.. at 8, c0..
/// at 10.
template <int kDepth>
void mma(Warp& w, const Instruction& i) {
  need_all_lanes(w, "mma.sync");
  if (w.active != kAll) throw Violation("mma.sync is reached by a warp of less than 32 lanes");
  float a[16][kDepth], b[8][kDepth];
  for (int l = 0; l < kLanes; ++l) {
    const int g = l / 4, t = l % 4;
    for (int r = 0; r < 6; ++r) {
      const uint32_t v = w.row<uint32_t>(i.at[4 + r])[l];
      // Register r of A: row g + 8 (r mod 2), columns of half r / 2. Of B: column g, rows of half r.
      float* const row = r < 4 ? a[g + 8 * (r % 2)] : b[g];
      const int half = r < 4 ? r / 2 : r - 4;
      if constexpr (kDepth == 8) {
        row[t + 4 * half] = std::bit_cast<float>(v & ~0x1fffu);  // the low 13 bits are not looked at
      } else {
        row[2 * t + 8 * half] = std::bit_cast<float>(v << 16);
        row[2 * t + 1 + 8 * half] = std::bit_cast<float>(v & 0xffff0000u);
      }
    }
  }
  float d[4][kLanes];
  for (int l = 0; l < kLanes; ++l)
    for (int e = 0; e < 4; ++e) {
      const int m = l / 4 + 8 * (e / 2), n = 2 * (l % 4) + e % 2;
      d[e][l] = dot<kDepth>(w.row<float>(i.at[10 + e])[l], a[m], b[n]);
    }
  for (int e = 0; e < 4; ++e) std::memcpy(w.row<float>(i.at[e]), d[e], sizeof d[e]);
}

/// "ldmatrix": lane l gives the address of row l mod 8 of matrix l / 8.
template <bool kTransposed>
void load_matrices(Warp& w, const Instruction& i) {
  need_all_lanes(w, "ldmatrix.sync");
  if (w.active != kAll) throw Violation("ldmatrix.sync is reached by a warp of less than 32 lanes");
  std::array<uint32_t, kLanes> rows;
  for (int l = 0; l < kLanes; ++l) {
    rows[size_t(l)] =
        (i.wide >> 4 & 1 ? uint32_t(w.row<uint64_t>(i.at[4])[l]) : w.row<uint32_t>(i.at[4])[l]) + uint32_t(i.immediate);
    w.block->shared.check_read<16>(rows[size_t(l)], w.number);
  }
  if (w.block->options.count_memory)
    for (size_t matrix = 0; matrix < 4; ++matrix) {
      std::array<int, 32> of_bank{};
      for (size_t row = 0; row < 8; ++row)
        for (uint32_t word = 0; word < 4; ++word) ++of_bank[(rows[8 * matrix + row] / 4 + word) % 32];
      w.block->kernel.counts.wavefronts += uint64_t(*std::max_element(of_bank.begin(), of_bank.end()));
      w.block->kernel.counts.least_wavefronts += 1;
    }
  const auto element = [&](size_t matrix, int row, int column) {
    uint16_t v;
    std::memcpy(&v, w.block->shared.bytes() + rows[8 * matrix + size_t(row)] + 2 * column, 2);
    return uint32_t(v);
  };
  for (size_t matrix = 0; matrix < 4; ++matrix)
    for (int l = 0; l < kLanes; ++l) {
      const int g = l / 4, t = l % 4;
      w.row<uint32_t>(i.at[matrix])[l] = kTransposed ? element(matrix, 2 * t, g) | element(matrix, 2 * t + 1, g) << 16
                                                     : element(matrix, g, 2 * t) | element(matrix, g, 2 * t + 1) << 16;
    }
}

/// "shfl.sync" .bfly: lane l receives what lane l xor b gives, for all lanes together.
void exchange(Warp& w, const Instruction& i) {
  need_all_lanes(w, "shfl.sync");
  if (w.active != kAll) throw Violation("shfl.sync is reached by a warp of less than 32 lanes");
  std::array<uint32_t, kLanes> given;
  std::memcpy(given.data(), w.row<uint32_t>(i.at[1]), sizeof given);
  for (uint32_t l = 0; l < kLanes; ++l) w.row<uint32_t>(i.at[0])[l] = given[l ^ (w.row<uint32_t>(i.at[2])[l] & 31)];
}

}  // namespace

void add_matrices(Table& t) {
  t["mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"] = {mma<8>, {}};
  t["mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"] = {mma<16>, {}};
  t["shfl.sync.bfly.b32"] = {exchange, {}};
  t["ldmatrix.sync.aligned.m8n8.x4.shared.b16"] = {load_matrices<false>, {}};
  t["ldmatrix.sync.aligned.m8n8.x4.trans.shared.b16"] = {load_matrices<true>, {}};
}

}  // namespace ptx
