/// The matrices of Winograd's short convolutions, applied to vectors of channels.
///
/// A 3-tap filter over M + 2 inputs gives M outputs: evaluate both as polynomials at M + 2 points, multiply point by
/// point, interpolate. In two dimensions, with B', G, A' the lines below applied along both axes:
///   forward           y  = A' [ (G w G') * (B' x B) ] A        `weight`, `input`, `output`
///   input gradient    the same on dy, with the filter turned by 180 degrees and its channels exchanged
///   weight gradient   dw = G' [ sum over tiles (A dy A') * (B' x B) ] G        `output_grad` = A, `weight_grad` = G'
/// F(4x4,3x3) uses the points 0, +-1/sqrt(2), +-sqrt(2), infinity: the same cost as the usual 1 and 2 and half the
/// error. 36 products instead of 144. F(2x2,3x3) uses 0, 1, -1, infinity: 16 products instead of 36, error below a
/// direct sum's. Source: Lavin & Gray, "Fast Algorithms for Convolutional Neural Networks", 2016.
#pragma once
#include "tensor/cpu/vector.h"

namespace tensor::cpu {

/// M x M outputs a tile.
template <int M>
struct Winograd;

template <>
struct Winograd<4> {
  static constexpr int kIn = 6;
  static constexpr double pa = 0.70710678118654752, pb = 1.41421356237309505, qa = pa * pa, qb = pb * pb;
  static constexpr float a = pa, b = pb, a2 = qa, b2 = qb, a3 = pa * qa, b3 = pb * qb, product = qa * qb, sum = qa + qb;
  // 1 / prod(point - other points), kept in G.
  static constexpr float n0 = 1 / (qa * qb), na = 1 / (2 * qa * (qa - qb)), nb = 1 / (2 * qb * (qb - qa));

  static void input(const Vec* d, Vec* o) {
    const Vec ea = d[4] - b2 * d[2], oa = a * (d[3] - b2 * d[1]), eb = d[4] - a2 * d[2], ob = b * (d[3] - a2 * d[1]);
    o[0] = product * d[0] - sum * d[2] + d[4], o[1] = ea + oa, o[2] = ea - oa;
    o[3] = eb + ob, o[4] = eb - ob, o[5] = product * d[1] - sum * d[3] + d[5];
  }
  static void weight(const Vec* g, Vec* o) {
    const Vec ea = na * (g[0] + a2 * g[2]), oa = na * a * g[1], eb = nb * (g[0] + b2 * g[2]), ob = nb * b * g[1];
    o[0] = n0 * g[0], o[1] = ea + oa, o[2] = ea - oa, o[3] = eb + ob, o[4] = eb - ob, o[5] = g[2];
  }
  static void output(const Vec* m, Vec* o) {
    const Vec ea = m[1] + m[2], oa = m[1] - m[2], eb = m[3] + m[4], ob = m[3] - m[4];
    o[0] = m[0] + ea + eb, o[1] = a * oa + b * ob, o[2] = a2 * ea + b2 * eb, o[3] = a3 * oa + b3 * ob + m[5];
  }
  static void output_grad(const Vec* y, Vec* o) {
    const Vec ea = y[0] + a2 * y[2], oa = a * y[1] + a3 * y[3], eb = y[0] + b2 * y[2], ob = b * y[1] + b3 * y[3];
    o[0] = y[0], o[1] = ea + oa, o[2] = ea - oa, o[3] = eb + ob, o[4] = eb - ob, o[5] = y[3];
  }
  static void weight_grad(const Vec* m, Vec* o) {
    const Vec ea = na * (m[1] + m[2]), oa = na * (m[1] - m[2]), eb = nb * (m[3] + m[4]), ob = nb * (m[3] - m[4]);
    o[0] = n0 * m[0] + ea + eb, o[1] = a * oa + b * ob, o[2] = a2 * ea + b2 * eb + m[5];
  }
};

template <>
struct Winograd<2> {
  static constexpr int kIn = 4;
  static void input(const Vec* d, Vec* o) {
    o[0] = d[0] - d[2], o[1] = d[2] + d[1], o[2] = d[2] - d[1], o[3] = d[3] - d[1];
  }
  static void weight(const Vec* g, Vec* o) {
    const Vec e = 0.5f * (g[0] + g[2]), u = 0.5f * g[1];
    o[0] = g[0], o[1] = e + u, o[2] = e - u, o[3] = g[2];
  }
  static void output(const Vec* m, Vec* o) { o[0] = m[0] + m[1] + m[2], o[1] = m[1] - m[2] + m[3]; }
  static void output_grad(const Vec* y, Vec* o) { o[0] = y[0], o[1] = y[0] + y[1], o[2] = y[0] - y[1], o[3] = y[1]; }
  static void weight_grad(const Vec* m, Vec* o) {
    const Vec e = 0.5f * (m[1] + m[2]);
    o[0] = m[0] + e, o[1] = 0.5f * (m[1] - m[2]), o[2] = e + m[3];
  }
};

/// Applies a line transform of I values into O along both axes of a square; get(i, j) reads, put(i, j, value) writes.
template <int I, int O, class Line, class Get, class Put>
[[gnu::always_inline]] inline void both_axes(Line line, Get get, Put put) {
  Vec half[O][I];
  UNROLL for (int j = 0; j < I; ++j) {
    Vec d[I], o[O];
    UNROLL for (int i = 0; i < I; ++i) d[i] = get(i, j);
    line(d, o);
    UNROLL for (int i = 0; i < O; ++i) half[i][j] = o[i];
  }
  UNROLL for (int i = 0; i < O; ++i) {
    Vec o[O];
    line(half[i], o);
    UNROLL for (int j = 0; j < O; ++j) put(i, j, o[j]);
  }
}

}  // namespace tensor::cpu
