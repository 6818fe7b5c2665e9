/// Threads over fixed chunks: the borders depend on the work alone, so results do not depend on the number of threads.
#pragma once
#include <algorithm>
#include <cstdint>

namespace tensor {

/// Which of the threads at work on the current chunks this one is: 0 for the caller, below threads() for all. A kernel
/// gives each its own scratch by it.
int thread_index();

/// Calls run(work, chunk) for every chunk in [0, chunks) on threads() threads, the caller among them, and returns when
/// all calls have. From within a chunk, or while another thread's chunks are being worked on, the caller works alone.
/// The other threads round, and treat denormals, as the caller does. `run` must not throw.
void share_chunks(int64_t chunks, void (*run)(const void* work, int64_t chunk), const void* work);

/// Calls f(chunk) for every chunk in [0, chunks). `f` must write only what belongs to its chunk and must not throw.
/// One and the same code is called for one thread and for many: inlined into a loop of each kind, the compiler might
/// fuse other multiplications with additions, and one thread would round otherwise than two.
template <class F>
void parallel_chunks(int64_t chunks, const F& f) {
  share_chunks(
      chunks, [](const void* work, int64_t chunk) { (*static_cast<const F*>(work))(chunk); }, &f);
}

/// Calls f(first, last) for consecutive ranges of `grain` items that cover [0, count).
template <class F>
void parallel_for(int64_t count, int64_t grain, const F& f) {
  parallel_chunks((count + grain - 1) / grain, [&](int64_t i) { f(i * grain, std::min(count, (i + 1) * grain)); });
}

}  // namespace tensor
