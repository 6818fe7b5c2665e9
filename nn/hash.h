/// Hashes that stay the same on every machine and in every version: of names (random streams) and of files (damage).
#pragma once
#include <cstdint>
#include <cstring>
#include <string_view>

namespace nn {

constexpr uint64_t kHashSeed = 0xcbf29ce484222325u;

/// FNV-1a over 64-bit little-endian words (the last one padded with zeros), each step followed by a shift so that high
/// bits reach low ones. Every step is a bijection: a change within one word always changes the result. Source: Fowler,
/// Noll, Vo.
inline uint64_t hash64(std::string_view bytes, uint64_t hash = kHashSeed) {
  for (size_t at = 0; at < bytes.size(); at += 8) {
    uint64_t word = 0;
    std::memcpy(&word, bytes.data() + at, bytes.size() - at < 8 ? bytes.size() - at : 8);
    hash = (hash ^ word) * 0x100000001b3u;
    hash ^= hash >> 29;
  }
  return (hash ^ bytes.size()) * 0x100000001b3u;
}

/// The random stream of whatever is called `name`: independent of the order in which things are made.
inline uint32_t stream_of(std::string_view name) {
  const uint64_t hash = hash64(name);
  return uint32_t(hash ^ (hash >> 32));
}

}  // namespace nn
