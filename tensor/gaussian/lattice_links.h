/// Which of the lattice's vertices are neighbours along an axis: two ascending sequences of keys, one of them a step
/// further, are searched for what they have in common.
#pragma once
#include <algorithm>
#include <cstdint>
#include <cstring>

#include "tensor/machine/scratch.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace tensor {

/// Words of a bit a vertex.
inline int64_t link_words(int64_t vertices) { return (vertices + 31) / 32; }

inline bool has_link(const int32_t* bits, int64_t v) { return (uint32_t(bits[v / 32]) >> (v % 32) & 1) != 0; }

#if defined(__AVX512F__)
/// Of a whole vector of keys, a step further, and 8 others: which of the former are among the latter, and which of the
/// latter among the former, a bit each.
struct BlockMatch {
  uint32_t keys = 0, others = 0;
};
template <class Key>
BlockMatch match_block(const Key* keys, Key step, const Key* others) {
  constexpr bool kNarrow = sizeof(Key) == 4;
  const auto all = [](Key key) { return kNarrow ? _mm512_set1_epi32(int32_t(key)) : _mm512_set1_epi64(int64_t(key)); };
  const __m512i at = _mm512_loadu_si512(keys);
  const __m512i wanted = kNarrow ? _mm512_add_epi32(at, all(step)) : _mm512_add_epi64(at, all(step));
  BlockMatch y;
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    const uint32_t equal = kNarrow ? uint32_t(_mm512_cmpeq_epi32_mask(wanted, all(others[i])))
                                   : uint32_t(_mm512_cmpeq_epi64_mask(wanted, all(others[i])));
    y.keys |= equal;
    y.others |= uint32_t(equal != 0) << i;
  }
  return y;
}
#endif

/// Lattice::linked along one axis. keys: ascending; before, after: link_words of them.
template <class Key>
void link_neighbours(const Scratch<Key>& keys, Key step, int32_t* before, int32_t* after) {
  const size_t count = keys.size();
  const int64_t words = link_words(int64_t(count));
  std::fill(before, before + words, 0);
  std::fill(after, after + words, 0);
  size_t v = 0, w = 0;  // the next key of those that are a step further, and of those that are not
#if defined(__AVX512F__)
  // A block of each: every pair is compared, and the block that ends first, or both, gives way to the next.
  if constexpr (sizeof(Key) <= 8) {
    constexpr size_t kLanes = 64 / sizeof(Key);
    auto* const after_bytes = reinterpret_cast<uint8_t*>(after);
    auto* const before_bytes = reinterpret_cast<uint8_t*>(before);
    uint32_t matched_v = 0, matched_w = 0;  // so far, of the blocks at v and w
    while (v + kLanes <= count && w + 8 <= count) {
      const BlockMatch match = match_block(&keys[v], step, &keys[w]);
      const Key last_v = keys[v + kLanes - 1] + step, last_w = keys[w + 7];
      matched_v |= match.keys;
      matched_w |= match.others;
      std::memcpy(after_bytes + v / 8, &matched_v, kLanes / 8);
      before_bytes[w / 8] = uint8_t(matched_w);
      v += last_v <= last_w ? kLanes : 0;
      w += last_w <= last_v ? 8 : 0;
      matched_v = last_v <= last_w ? 0 : matched_v;
      matched_w = last_w <= last_v ? 0 : matched_w;
    }
  }
#endif
  while (v < count && w < count) {  // no branch on the keys, which cannot be foretold
    const Key wanted = keys[v] + step, have = keys[w];
    const auto same = uint32_t(wanted == have);
    after[v / 32] = int32_t(uint32_t(after[v / 32]) | same << (v % 32));
    before[w / 32] = int32_t(uint32_t(before[w / 32]) | same << (w % 32));
    v += wanted <= have;
    w += have <= wanted;
  }
}

}  // namespace tensor
