/// Vertices that no point touches but that the blur must cross to get from one that is touched to another.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "tensor/lattice_keys.h"
#include "tensor/lattice_points.h"
#include "tensor/parallel.h"
#include "tensor/scratch.h"

namespace tensor {

/// Whatever is a step before or after one of the ascending keys that are heavy and not among the keys, ascending, each
/// once.
template <class Key>
Scratch<Key> absent_neighbours(const Scratch<Key>& keys, const Scratch<uint8_t>& heavy, Key step) {
  const size_t count = keys.size();
  Scratch<Key> after(count), before(count);
  size_t v = 0, w = 0, no_after = 0, no_before = 0;
  while (v < count && w < count) {  // without branches on the keys: they cannot be foretold
    const Key wanted = keys[v] + step, have = keys[w];
    after[no_after] = wanted;
    before[no_before] = have - step;
    no_after += (wanted < have) & heavy[v];
    no_before += (have < wanted) & heavy[w];
    v += wanted <= have;
    w += have <= wanted;
  }
  for (; v < count; ++v) {
    after[no_after] = keys[v] + step;
    no_after += heavy[v];
  }
  for (; w < count; ++w) {
    before[no_before] = keys[w] - step;
    no_before += heavy[w];
  }
  Scratch<Key> y(no_after + no_before);
  size_t a = 0, b = 0, n = 0;
  while (a < no_after && b < no_before) {
    const Key one = after[a], other = before[b];
    y[n++] = one < other ? one : other;
    a += one <= other;
    b += other <= one;
  }
  while (a < no_after) y[n++] = after[a++];
  while (b < no_before) y[n++] = before[b++];
  y.resize(n);
  return y;
}

/// The absent vertices that have heavy neighbours along at least Axes axes, 2 or more, ascending. keys: ascending.
template <int Axes, class Key, int D>
Scratch<Key> bridging_vertices(const Scratch<Key>& keys, const Scratch<uint8_t>& heavy,
                               const KeyLayout<Key, D>& layout) {
  if (Axes > D + 1) return {};
  // Absent neighbours along each axis, and for each a bit chosen by its hash.
  int hash_bits = 12;
  while ((size_t(1) << hash_bits) < 24 * keys.size()) ++hash_bits;
  const size_t words = size_t(1) << (hash_bits - 6);
  const auto hash = [&](Key key) {
    const uint64_t folded = uint64_t(key) + uint64_t(key >> (4 * sizeof(Key)));
    return (folded * 0x9e3779b97f4a7c15u) >> (64 - hash_bits);
  };
  Scratch<Key> absent[D + 1];
  Scratch<uint64_t> seen[D + 1];
  parallel_chunks(D + 1, [&](int64_t i) {
    absent[i] = absent_neighbours(keys, heavy, layout.along[i]);
    seen[i].assign(words, 0);
    for (const Key key : absent[i]) {
      const uint64_t h = hash(key);
      seen[i][h / 64] |= uint64_t(1) << (h % 64);
    }
  });
  // A bit that so many axes have set is a vertex that may have neighbours along them.
  Scratch<uint64_t> enough(words);
  parallel_for(int64_t(words), 1 << 12, [&](int64_t first, int64_t last) {
    for (int64_t w = first; w < last; ++w) {
      uint64_t at_least[Axes + 1] = {~uint64_t(0)};  // [k]: which bits k axes or more have set
      for (int i = 0; i <= D; ++i)
        for (int k = Axes; k > 0; --k) at_least[k] |= at_least[k - 1] & seen[i][w];
      enough[w] = at_least[Axes];
    }
  });
  parallel_chunks(D + 1, [&](int64_t i) {
    size_t kept = 0;
    for (const Key key : absent[i]) {
      const uint64_t h = hash(key);
      absent[i][kept] = key;
      kept += enough[h / 64] >> (h % 64) & 1;
    }
    absent[i].resize(kept);
  });
  Scratch<Key> candidates;
  for (const Scratch<Key>& of_axis : absent) candidates.insert(candidates.end(), of_axis.begin(), of_axis.end());
  sort_keys(candidates, layout.bits, [](Key key) { return key; });
  Scratch<Key> y(candidates.size());
  size_t n = 0;
  int repeated = 0;
  for (size_t i = 0; i < candidates.size(); ++i) {
    repeated = i > 0 && candidates[i] == candidates[i - 1] ? repeated + 1 : 1;
    y[n] = candidates[i];
    n += repeated == Axes;
  }
  y.resize(n);
  return y;
}

}  // namespace tensor
