/// Forward pass and input gradient as correlations.
#include "tensor/cpu/conv/direct.h"

#include "tensor/cpu/conv/correlate.h"
#include "tensor/cpu/workspace.h"

namespace tensor::cpu {
namespace {

/// Neighbouring rows of a 1x1 convolution joined until they fill tiles: it sees no difference between a row's end and
/// its middle.
Windows joined(Windows z) {
  if (z.r != 1 || z.s != 1 || z.stride != 1 || z.first_row != 0 || z.first_col != 0 || z.h != z.p || z.w != z.q)
    return z;
  int64_t rows = z.n * z.h, columns = z.w;
  for (; columns < 192 && rows % 2 == 0; columns *= 2) rows /= 2;
  return {z.x, 1, rows, columns, z.c, 1, 1, rows, columns, 1, 0, 0};
}
Outputs dense(float* y, const Windows& z, int64_t channels) {
  return {y, channels, channels, z.q * channels, z.p * z.q * channels};
}
Windows forward_windows(const ConvShape& z, const float* x) {
  return joined({x, z.n, z.h, z.w, z.c, z.r, z.s, z.p, z.q, z.stride, -z.padding, -z.padding});
}

/// Filters, bias and bands of one correlation.
int64_t correlation_scratch(const Windows& z, int64_t channels) {
  return round_up(Panels::size(z.depth(), channels), 64) + round_up(Panels::padded(channels), 64) +
         threads() * z.scratch();
}

/// Packs the filters, then correlates: column j of product i is row(i)[j * column_step]; channel k has bias b[k %
/// b_period].
template <class Row>
void pack_and_correlate(const Windows& z, const Outputs& to, int64_t column_step, const Row& row, const float* b,
                        int64_t b_period, Activation activation, float* scratch) {
  const int64_t padded = Panels::padded(to.channels);
  float* filters = scratch;
  float* bias = filters + round_up(Panels::size(z.depth(), to.channels), 64);
  float* bands = bias + round_up(padded, 64);
  for (int64_t k = 0; k < padded; ++k) bias[k] = b && k < to.channels ? b[k % b_period] : 0;
  if (few_channels(z, to.channels)) {
    for (int64_t i = 0; i < z.depth(); ++i)
      for (int64_t k = 0; k < to.channels; ++k) filters[k * z.depth() + i] = row(i)[k * column_step];
    correlate_few(z, to, filters, bias, activation, bands);
  } else {
    const Panels panels{filters, z.depth(), ColumnBlocks(to.channels)};
    pack(panels, column_step, row);
    correlate(z, to, panels, bias, activation, bands);
  }
}

/// Kernel = stride and no padding (a transposed convolution that doubles the image): every dx belongs to one dy, so
/// filter row r is a matrix product of dy with w[:, r, :, :] whose result is one consecutive row of dx.
bool is_expansion(const ConvShape& z) {
  return z.r == z.stride && z.s == z.stride && z.padding == 0 && z.h == z.p * z.r && z.w == z.q * z.s;
}
Windows expansion_windows(const ConvShape& z, const float* dy) {
  return {dy, z.n, z.p, z.q, z.k, 1, 1, z.p, z.q, 1, 0, 0};
}

/// The rows (or columns) of dx that share their taps: phase f holds those with (h + padding) mod stride = f. Their taps
/// are f, f + stride, ...; in the order of rising dy they are read backwards.
struct Phase {
  int64_t first, count;  // first row of dx and number of rows
  int64_t taps, source;  // number of taps, and the row of dy that the last of them reads for the first row of dx
  Phase(int64_t phase, int64_t extent, int64_t kernel, int64_t stride, int64_t padding) {
    first = ((phase - padding) % stride + stride) % stride;
    count = extent > first ? (extent - first - 1) / stride + 1 : 0;
    taps = kernel > phase ? (kernel - phase - 1) / stride + 1 : 0;
    source = (first + padding - phase) / stride - (taps - 1);
  }
};
Windows phase_windows(const ConvShape& z, const float* dy, const Phase& rows, const Phase& cols) {
  const Windows w{dy, z.n, z.p, z.q, z.k, rows.taps, cols.taps, rows.count, cols.count, 1, rows.source, cols.source};
  return z.stride == 1 ? joined(w) : w;
}

}  // namespace

int64_t direct_conv_scratch(const ConvShape& z) { return correlation_scratch(forward_windows(z, nullptr), z.k); }

void direct_conv(const ConvShape& z, const float* x, const float* w, const float* b, Activation activation, float* y) {
  const Windows windows = forward_windows(z, x);
  const Workspace scratch(direct_conv_scratch(z));
  pack_and_correlate(
      windows, dense(y, windows, z.k), windows.depth(), [=](int64_t i) { return w + i; }, b, z.k, activation,
      scratch.data());
}

int64_t direct_grad_input_scratch(const ConvShape& z) {
  if (is_expansion(z)) return correlation_scratch(expansion_windows(z, nullptr), z.s * z.c);
  int64_t most = 0;
  for (int64_t i = 0; i < z.stride; ++i)
    for (int64_t j = 0; j < z.stride; ++j) {
      const Phase rows(i, z.h, z.r, z.stride, z.padding), cols(j, z.w, z.s, z.stride, z.padding);
      if (rows.count * cols.count * rows.taps * cols.taps > 0)
        most = std::max(most, correlation_scratch(phase_windows(z, nullptr, rows, cols), z.c));
    }
  return most;
}

void direct_grad_input(const ConvShape& z, const float* dy, const float* w, const float* b, float* dx) {
  const Workspace scratch(direct_grad_input_scratch(z));
  const int64_t k_step = z.r * z.s * z.c;
  if (is_expansion(z)) {
    const int64_t row = z.w * z.c;
    for (int64_t r = 0; r < z.r; ++r)
      pack_and_correlate(
          expansion_windows(z, dy), {dx + r * row, z.s * z.c, z.s * z.c, z.r * row, z.h * row}, 1,
          [=](int64_t k) { return w + k * k_step + r * z.s * z.c; }, b, z.c, Activation::none, scratch.data());
    return;
  }
  for (int64_t i = 0; i < z.stride; ++i)
    for (int64_t j = 0; j < z.stride; ++j) {
      const Phase rows(i, z.h, z.r, z.stride, z.padding), cols(j, z.w, z.s, z.stride, z.padding);
      if (rows.count * cols.count == 0) continue;
      if (rows.taps * cols.taps == 0) {  // no tap reaches these pixels
        parallel_chunks(z.n * rows.count, [&](int64_t at) {
          float* to = dx + ((at / rows.count * z.h + rows.first + at % rows.count * z.stride) * z.w + cols.first) * z.c;
          for (int64_t q = 0; q < cols.count; ++q)
            for (int64_t c = 0; c < z.c; ++c) to[q * z.stride * z.c + c] = b ? b[c] : 0;
        });
        continue;
      }
      const Windows windows = phase_windows(z, dy, rows, cols);
      const Outputs to = z.stride == 1 ? dense(dx, windows, z.c)
                                       : Outputs{dx + (rows.first * z.w + cols.first) * z.c, z.c, z.stride * z.c,
                                                 z.stride * z.w * z.c, z.h * z.w * z.c};
      pack_and_correlate(
          windows, to, 1,
          [=](int64_t at) {
            const int64_t k = at % z.k, tap = at / z.k;
            const int64_t r = i + (rows.taps - 1 - tap / cols.taps) * z.stride;
            const int64_t s = j + (cols.taps - 1 - tap % cols.taps) * z.stride;
            return w + k * k_step + (r * z.s + s) * z.c;
          },
          b, z.c, Activation::none, scratch.data());
    }
}

}  // namespace tensor::cpu
