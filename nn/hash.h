/// Hashes that stay the same on every machine and in every version: of names (random streams) and of files (damage).
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nn {

constexpr uint64_t kHashSeed = 0xcbf29ce484222325u;

/// FNV-1a over 64-bit little-endian words (the last one padded with zeros), each step followed by a shift so that high
/// bits reach low ones. Every step is a bijection: a change within one word always changes the result. Source: Fowler,
/// Noll, Vo. Bytes may be added in parts of any size.
class Hash64 {
 public:
  explicit Hash64(uint64_t seed = kHashSeed) : hash_(seed) {}
  void add(std::string_view bytes) {
    while (!bytes.empty()) {
      const size_t begun = size_ % 8, taken = bytes.size() < 8 - begun ? bytes.size() : 8 - begun;
      std::memcpy(reinterpret_cast<char*>(&word_) + begun, bytes.data(), taken);
      bytes.remove_prefix(taken);
      size_ += taken;
      if (size_ % 8 == 0) hash_ = mixed(), word_ = 0;
    }
  }
  uint64_t value() const { return ((size_ % 8 ? mixed() : hash_) ^ size_) * kPrime; }

 private:
  static constexpr uint64_t kPrime = 0x100000001b3u;
  uint64_t hash_, size_ = 0, word_ = 0;
  uint64_t mixed() const {
    const uint64_t hash = (hash_ ^ word_) * kPrime;
    return hash ^ (hash >> 29);
  }
};

inline uint64_t hash64(std::string_view bytes, uint64_t seed = kHashSeed) {
  Hash64 hash(seed);
  hash.add(bytes);
  return hash.value();
}

/// The random stream of whatever is called `name`: independent of the order in which things are made.
inline uint32_t stream_of(std::string_view name) {
  const uint64_t hash = hash64(name);
  return uint32_t(hash ^ (hash >> 32));
}

}  // namespace nn
