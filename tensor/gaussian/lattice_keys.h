/// Work on the lattice's keys: numbering those of a few points by a hash table, and sorting those of all.
#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "tensor/machine/parallel.h"
#include "tensor/machine/scratch.h"

namespace tensor {

/// The key where it has no more than 64 bits, or else 64 that follow from it.
template <class Key>
uint64_t folded(Key key) {
  return sizeof(Key) > 8 ? uint64_t(key) ^ uint64_t(key >> (4 * sizeof(Key))) * 0x94d049bb133111eb : uint64_t(key);
}

/// Numbers keys in the order in which they are first seen.
template <class Key>
class KeyTable {
 public:
  int32_t number(Key key) {
    if (2 * keys_.size() >= slots_.size()) grow();
    int32_t& slot = find(key);
    if (slot < 0) {
      slot = int32_t(keys_.size());
      keys_.push_back(key);
    }
    return slot;
  }
  const std::vector<Key>& keys() const { return keys_; }

 private:
  int bits_ = 15;  // room for what a few thousand points of a photograph touch
  std::vector<int32_t> slots_ = std::vector<int32_t>(size_t(1) << bits_, -1);
  std::vector<Key> keys_;

  int32_t& find(Key key) {
    const size_t mask = slots_.size() - 1;
    size_t at = (folded(key) * 0x9e3779b97f4a7c15u) >> (64 - bits_);
    while (slots_[at] >= 0 && keys_[slots_[at]] != key) at = (at + 1) & mask;
    return slots_[at];
  }
  void grow() {
    slots_.assign(size_t(1) << ++bits_, -1);
    for (size_t i = 0; i < keys_.size(); ++i) find(keys_[i]) = int32_t(i);
  }
};

/// Sorts by the lowest `bits` bits of key(item); items of equal keys stay in order. Counting sort, digit by digit.
template <class Item, class F>
void sort_keys(Scratch<Item>& items, int bits, const F& key) {
  constexpr int kMaxDigit = 11;
  constexpr int64_t kBlock = 1 << 15;  // items that one thread counts and places
  const int passes = (bits + kMaxDigit - 1) / kMaxDigit, digit = (bits + passes - 1) / passes;
  const size_t values = size_t(1) << digit;
  const int64_t n = int64_t(items.size()), blocks = (n + kBlock - 1) / kBlock;
  Scratch<Item> sorted(items.size());
  Scratch<uint32_t> place(values * blocks);
  for (int pass = 0; pass < passes; ++pass) {
    const auto digit_of = [&, shift = pass * digit, mask = values - 1](const Item& item) {
      return size_t(key(item) >> shift) & mask;
    };
    std::fill(place.begin(), place.end(), 0);
    parallel_for(n, kBlock, [&](int64_t first, int64_t last) {
      uint32_t* const count = place.data() + first / kBlock * values;
      for (int64_t i = first; i < last; ++i) ++count[digit_of(items[i])];
    });
    uint32_t next = 0;
    for (size_t v = 0; v < values; ++v)
      for (int64_t b = 0; b < blocks; ++b) next += std::exchange(place[b * values + v], next);
    parallel_for(n, kBlock, [&](int64_t first, int64_t last) {
      uint32_t* const at = place.data() + first / kBlock * values;
      for (int64_t i = first; i < last; ++i) sorted[at[digit_of(items[i])]++] = items[i];
    });
    items.swap(sorted);
  }
}

}  // namespace tensor
