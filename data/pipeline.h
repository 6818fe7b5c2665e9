/// Items that are read, computed, encoded and written, several at a time: reading and writing go on beside the
/// computation.
#pragma once
#include <cstdint>
#include <functional>

namespace data {

/// What is done with item i. Whoever calls keeps items by i % ahead: never more than `ahead` are under way.
struct Pipeline {
  std::function<void(int64_t)> read;                  ///< on any thread
  std::function<void(int64_t)> compute;               ///< on the caller's thread, in ascending order
  std::function<void(int64_t)> encode;                ///< on any thread
  std::function<void(int64_t)> write;                 ///< on any thread, in ascending order, one at a time
  std::function<bool()> stop = [] { return false; };  ///< asked before each computation
  int64_t ahead = 8;
  int threads = 0;  ///< that read, encode and write beside the caller's; 0: tensor::available_cpus()
};

/// Items 0 .. count - 1 through all four steps. Returns how many were written: all, or those whose computation began
/// before stop() was true. When a step of item i throws, the items before it are written, no later one is, and the
/// exception of the lowest such i is rethrown: the same for any number of threads.
int64_t run_pipeline(int64_t count, const Pipeline& steps);

}  // namespace data
