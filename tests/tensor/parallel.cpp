/// The threads that share a kernel's chunks: every chunk once, whoever calls, from wherever.
#include "tensor/machine/parallel.h"

#include <doctest/doctest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "tensor/cpu/parallel.h"
#include "tensor/machine/atomic_file.h"
#include "tests/scratch.h"
#include "tests/threads.h"

namespace tensor {
namespace {

/// How often each of `chunks` chunks was called; -1 where a thread's index was out of range.
std::vector<int> calls(int64_t chunks) {
  std::vector<int> count(chunks, 0);
  parallel_chunks(chunks, [&](int64_t c) {
    if (thread_index() < 0 || thread_index() >= threads()) count[c] = -1;
    ++count[c];
  });
  return count;
}

TEST_CASE("every chunk is called once, for any number of threads and chunks") {
  for (const int n : {1, 2, 3, 8}) {
    const Threads set(n);
    for (const int64_t chunks : {0, 1, 2, 3, 7, 64, 1000})
      for (int round = 0; round < 50; ++round) CHECK(calls(chunks) == std::vector<int>(chunks, 1));
  }
}

TEST_CASE("two threads at a time never have the same index") {
  const Threads set(4);
  std::vector<std::atomic<int>> here(4);
  std::atomic<bool> shared = false;
  for (int round = 0; round < 200; ++round)
    parallel_chunks(64, [&](int64_t) {
      std::atomic<int>& mine = here[thread_index()];
      if (++mine != 1) shared = true;
      std::this_thread::yield();
      --mine;
    });
  CHECK_FALSE(shared);
}

TEST_CASE("chunks shared within a chunk are done by the thread that is in it, as its only one") {
  const Threads set(3);
  std::vector<std::vector<int>> inner(16);
  std::vector<char> outer_kept(16, 0), alone(16, 1);
  parallel_chunks(16, [&](int64_t c) {
    const int before = thread_index();
    inner[c] = std::vector<int>(9, 0);
    parallel_chunks(9, [&](int64_t i) {
      ++inner[c][i];
      if (thread_index() != 0) alone[c] = 0;
    });
    outer_kept[c] = thread_index() == before;
  });
  for (int c = 0; c < 16; ++c) {
    CHECK(inner[c] == std::vector<int>(9, 1));
    CHECK(outer_kept[c]);
    CHECK(alone[c]);
  }
}

TEST_CASE("several threads share chunks at the same time") {
  const Threads set(2);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> callers;
  for (int t = 0; t < 4; ++t)
    callers.emplace_back([&] {
      for (int round = 0; round < 300; ++round)
        if (calls(33) != std::vector<int>(33, 1)) ++wrong;
    });
  for (std::thread& t : callers) t.join();
  CHECK(wrong == 0);
}

#if defined(__SSE__)
TEST_CASE("helpers treat denormals as the caller does") {
  const Threads set(4);
  volatile float denormal = 1e-40f;
  const auto kept = [&](bool flush) {
    std::vector<char> y(256);
    const auto one = [&](int64_t c) {
      y[c] = denormal * 1.0f != 0.0f;
      std::this_thread::yield();
    };
    flush ? cpu::parallel_chunks(256, one) : parallel_chunks(256, one);
    return y;
  };
  for (int round = 0; round < 20; ++round) {
    CHECK(kept(true) == std::vector<char>(256, 0));
    CHECK(kept(false) == std::vector<char>(256, 1));
  }
}
#endif

TEST_CASE("the quota of a container bounds its CPUs, whichever version of cgroups tells it") {
  const Scratch v2, v1, none;
  const auto quota = [&](const char* text) {
    write_file_atomically(v2 / "cpu.max", text);
    return cpu_quota(v2.path);
  };
  CHECK(quota("200000 100000\n") == 2);
  CHECK(quota("10000 100000\n") == 1);
  CHECK(quota("max 100000\n") == 0);
  v1.folder("cpu");
  write_file_atomically(v1 / "cpu/cpu.cfs_period_us", "100000\n");
  write_file_atomically(v1 / "cpu/cpu.cfs_quota_us", "350000\n");
  CHECK(cpu_quota(v1.path) == 4);
  write_file_atomically(v1 / "cpu/cpu.cfs_quota_us", "-1\n");
  CHECK(cpu_quota(v1.path) == 0);
  CHECK(cpu_quota(none.path) == 0);
  CHECK(available_cpus() >= 1);
}

}  // namespace
}  // namespace tensor
