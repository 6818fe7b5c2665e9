/// Vertices that no point touches but that the blur must cross to get from one that is touched to another.
#pragma once
#include <algorithm>
#include <cstdint>
#include <vector>

#include "tensor/gaussian/lattice_keys.h"
#include "tensor/gaussian/lattice_links.h"
#include "tensor/gaussian/lattice_points.h"
#include "tensor/machine/parallel.h"
#include "tensor/machine/scratch.h"

namespace tensor {

/// What is a step after or before a heavy one of the ascending keys and not among the keys, each in ascending order.
template <class Key>
struct AbsentNeighbours {
  Scratch<Key> after, before;

  AbsentNeighbours() = default;
  AbsentNeighbours(const Scratch<Key>& keys, const Scratch<uint8_t>& heavy, Key step)
      : after(keys.size()), before(keys.size()) {
    const int64_t words = link_words(int64_t(keys.size()));
    Scratch<int32_t> links(2 * words);
    link_neighbours(keys, step, links.data(), links.data() + words);
    size_t no_after = 0, no_before = 0;
    for (size_t v = 0; v < keys.size(); ++v) {
      after[no_after] = keys[v] + step;
      before[no_before] = keys[v] - step;
      no_after += heavy[v] & !has_link(links.data() + words, int64_t(v));
      no_before += heavy[v] & !has_link(links.data(), int64_t(v));
    }
    after.resize(no_after);
    before.resize(no_before);
  }
  /// Each one that may be needed, once, ascending.
  template <class F>
  Scratch<Key> only(const F& needed) {
    keep(after, needed);
    keep(before, needed);
    Scratch<Key> y(after.size() + before.size());
    size_t a = 0, b = 0, n = 0;
    while (a < after.size() && b < before.size()) {
      const Key one = after[a], other = before[b];
      y[n++] = one < other ? one : other;
      a += one <= other;
      b += other <= one;
    }
    while (a < after.size()) y[n++] = after[a++];
    while (b < before.size()) y[n++] = before[b++];
    y.resize(n);
    return y;
  }

 private:
  template <class F>
  static void keep(Scratch<Key>& keys, const F& needed) {
    size_t kept = 0;
    for (const Key key : keys) {
      keys[kept] = key;
      kept += needed(key);
    }
    keys.resize(kept);
  }
};

/// The absent vertices that have heavy neighbours along at least Axes axes, 2 or more, ascending. keys: ascending.
template <int Axes, class Key, int D>
Scratch<Key> bridging_vertices(const Scratch<Key>& keys, const Scratch<uint8_t>& heavy,
                               const KeyLayout<Key, D>& layout) {
  if (Axes > D + 1) return {};
  // Absent neighbours along each axis, and for each a bit chosen by its hash.
  int hash_bits = 12;
  while ((size_t(1) << hash_bits) < 24 * keys.size()) ++hash_bits;
  const size_t words = size_t(1) << (hash_bits - 6);
  const auto hash = [&](Key key) { return (folded(key) * 0x9e3779b97f4a7c15u) >> (64 - hash_bits); };
  AbsentNeighbours<Key> absent[D + 1];
  Scratch<uint64_t> seen[D + 1];
  parallel_chunks(D + 1, [&](int64_t i) {
    absent[i] = AbsentNeighbours<Key>(keys, heavy, layout.along[i]);
    seen[i].assign(words, 0);
    for (const Scratch<Key>* side : {&absent[i].after, &absent[i].before})
      for (const Key key : *side) {
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
  Scratch<Key> needed[D + 1];
  parallel_chunks(D + 1, [&](int64_t i) {
    needed[i] = absent[i].only([&](Key key) {
      const uint64_t h = hash(key);
      return (enough[h / 64] >> (h % 64) & 1) != 0;
    });
  });
  Scratch<Key> candidates;
  for (const Scratch<Key>& of_axis : needed) candidates.insert(candidates.end(), of_axis.begin(), of_axis.end());
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
