/// Moves tiles of an image into Winograd's domain and back.
#pragma once
#include <algorithm>
#include <cstdint>

#include "tensor/cpu/conv/tile.h"
#include "tensor/cpu/conv/winograd_transform.h"
#include "tensor/cpu/image_part.h"

namespace tensor::cpu {

struct TileCorner {
  int64_t image, row, column;
};

/// An image [n,h,w,c] cut into squares of M x M pixels.
template <int M>
struct Tiles {
  int64_t n, h, w, down = divide_up(h, M), across = divide_up(w, M), count = n * down * across;
  Tiles(int64_t n_, int64_t h_, int64_t w_) : n(n_), h(h_), w(w_) {}
  TileCorner at(int64_t t) const { return {t / (down * across), t / across % down * M, t % across * M}; }
};

/// Transformed tiles: value f of tile t, channel c of block b lies at data[b * block + f * plane + t * ld + c - first
/// channel of b]. Planes lie a few vectors off a power of two, or all of them would share the same few cache sets.
struct Planes {
  float* data;
  int64_t ld, plane, block;
  ColumnBlocks blocks;
  float* at(int64_t b, int64_t f, int64_t t) const { return data + b * block + f * plane + t * ld; }
};

/// Transforms the S x S pixels at `shift` from a tile's corner into slot `to`; outside the image there are zeros.
template <int S, int I, int M, class Line>
void transform_tile(Line line, const ImageIn& x, const Tiles<M>& tiles, const TileCorner& corner, int64_t shift,
                    const Planes& v, int64_t to) {
  alignas(64) static const float zeros[kLanes] = {};
  const int64_t row = corner.row + shift, column = corner.column + shift;
  const bool whole = row >= 0 && row + S <= tiles.h && column >= 0 && column + S <= tiles.w;
  int64_t b = 0, begin = 0, end = v.blocks.first(1);
  for (const ImagePart<const float>& part : x) {
    const int64_t c = part.channels;
    const float* first = part.data + ((corner.image * tiles.h + row) * tiles.w + column) * c;
    const float* pixel[S * S];
    if (!whole)
      for (int64_t i = 0; i < S; ++i)
        for (int64_t j = 0; j < S; ++j) {
          const bool inside = row + i >= 0 && row + i < tiles.h && column + j >= 0 && column + j < tiles.w;
          pixel[i * S + j] = inside ? first + (i * tiles.w + j) * c : nullptr;
        }
    for (int64_t e = 0; e < c; e += kLanes) {
      const int64_t channel = part.first + e;
      if (channel == end) {
        begin = end;
        end = v.blocks.first(++b + 1);
      }
      float* o = v.at(b, 0, to) + channel - begin;
      const auto put = [&](int i, int j, Vec y) { store(o + (i * I + j) * v.plane, y); };
      if (whole)
        both_axes<S, I>(
            line, [&](int i, int j) { return load(first + (i * tiles.w + j) * c + e); }, put);
      else
        both_axes<S, I>(
            line,
            [&](int i, int j) {
              const float* at = pixel[i * S + j];
              return load(at ? at + e : zeros);
            },
            put);
    }
  }
}

/// Transforms back, adds the bias, and writes the M x M pixels of a tile, `width` channels from k0 on. bias: from k0
/// on, or null.
template <int M, int R, bool kPast, bool kRelu>
void write_tile(const float* m, int64_t plane, int64_t k0, int64_t width, const float* bias, const Tiles<M>& tiles,
                const TileCorner& corner, const ImageOut& y) {
  constexpr int I = Winograd<M, R>::kIn;
  const auto [n, p, q] = corner;
  const int64_t rows = tiles.h - p, cols = tiles.w - q, pixel = (n * tiles.h + p) * tiles.w + q;
  auto part = y.begin();
  for (int64_t v = 0; v < width; v += kLanes) {
    while (k0 + v >= part->first + part->channels) ++part;
    const int64_t k = part->channels;
    float* to = part->data + pixel * k + k0 + v - part->first;
    const Vec b = bias ? load(bias + v) : Vec{};
    const auto get = [&](int i, int j) { return load(m + (i * I + j) * plane + v); };
    const auto end = [&](Vec o) { return kRelu ? relu(o + b) : o + b; };
    if (rows >= M && cols >= M)
      both_axes<I, M>(Winograd<M, R>::output, get, [&](int i, int j, Vec o) {
        float* at = to + (i * tiles.w + j) * k;
        if constexpr (kPast)
          store_past_caches(at, end(o));
        else
          store(at, end(o));
      });
    else
      both_axes<I, M>(Winograd<M, R>::output, get, [&](int i, int j, Vec o) {
        if (i < rows && j < cols) store(to + (i * tiles.w + j) * k, end(o));
      });
  }
}

}  // namespace tensor::cpu
