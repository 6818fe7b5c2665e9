/// The chunks of a kernel of this backend.
#pragma once
#include <cstdint>

#include "tensor/backend.h"
#include "tensor/machine/parallel.h"
#include "tensor/machine/threads.h"

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

/// tensor::parallel_chunks with denormals flushed.
template <class F>
void parallel_chunks(int64_t chunks, const F& f) {
  [[maybe_unused]] const FlushDenormals flush;
  tensor::parallel_chunks(chunks, f);
}

/// tensor::parallel_for with denormals flushed.
template <class F>
void parallel_for(int64_t count, int64_t grain, const F& f) {
  [[maybe_unused]] const FlushDenormals flush;
  tensor::parallel_for(count, grain, f);
}

}  // namespace tensor::cpu
