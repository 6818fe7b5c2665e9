/// Threads over fixed chunks: the borders depend on the work alone, so results do not depend on the number of threads.
#pragma once
#include <algorithm>
#include <cstdint>

#include "tensor/backend.h"

#if defined(__SSE__)
#include <xmmintrin.h>
#endif

namespace tensor::cpu {

/// Treats denormals as zero on this thread while it lives: they cost a hundred cycles each and carry no information
/// here.
class FlushDenormals {
 public:
#if defined(__SSE__)
  FlushDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | 0x8040u); }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  unsigned before_;
#endif
};

/// f(chunk), compiled once: inlined apart into the serial and the parallel loop, g++ may fuse other multiplications
/// with additions in each, and one thread would round otherwise than two.
template <class F>
[[gnu::noipa]] void run_chunk(const F& f, int64_t chunk) {
  f(chunk);
}

/// Calls f(chunk) for every chunk in [0, chunks). `f` must write only what belongs to its chunk and must not throw.
template <class F>
void parallel_chunks(int64_t chunks, const F& f) {
  const int team = int(std::min<int64_t>(threads(), chunks));
  if (team <= 1) {
    const FlushDenormals flush;
    for (int64_t i = 0; i < chunks; ++i) run_chunk(f, i);
    return;
  }
#pragma omp parallel num_threads(team)
  {
    const FlushDenormals flush;
#pragma omp for schedule(dynamic, 1)
    for (int64_t i = 0; i < chunks; ++i) run_chunk(f, i);
  }
}

/// Calls f(first, last) for consecutive ranges of `grain` items that cover [0, count).
template <class F>
void parallel_for(int64_t count, int64_t grain, const F& f) {
  parallel_chunks((count + grain - 1) / grain, [&](int64_t i) { f(i * grain, std::min(count, (i + 1) * grain)); });
}

}  // namespace tensor::cpu
