/// The arena: placement, coalescing, peaks, and the tensors that live in it.
#include <map>

#include "expect.h"
#include "tensor/machine/allocator.h"
#include "tensor/random.h"

using namespace tensor;

TEST_CASE("arena: blocks are aligned, and the smallest hole that fits is taken, the lowest on ties") {
  Arena arena(1 << 20);
  const int64_t a = arena.allocate(500), b = arena.allocate(1), c = arena.allocate(1024), d = arena.allocate(256),
                e = arena.allocate(512), f = arena.allocate(256);
  CHECK(std::vector<int64_t>{a, b, c, d, e, f} == std::vector<int64_t>{0, 512, 768, 1792, 2048, 2560});
  arena.release(a);
  arena.release(c);
  arena.release(e);
  CHECK(arena.allocate(600) == c);
  CHECK(arena.allocate(300) == a);
  CHECK(arena.allocate(512) == e);
  CHECK(arena.allocate(256) == c + 768);
  CHECK(arena.allocate(256) == 2816);
}

TEST_CASE("arena: live, peak_live and peak, and their reset") {
  Arena arena(1 << 20);
  const int64_t a = arena.allocate(1024), b = arena.allocate(256), c = arena.allocate(512);
  arena.release(a);
  CHECK(arena.stats().live == 768);
  CHECK(arena.stats().peak_live == 1792);
  const int64_t d = arena.allocate(2048);  // the hole at 0 is too small: fragmentation raises the peak above peak_live
  CHECK(arena.stats().peak_live == 2816);
  CHECK(arena.stats().peak == 1792 + 2048);
  arena.release(d);
  arena.reset_peaks();
  CHECK(arena.stats().peak_live == 768);
  CHECK(arena.stats().peak == 1792);
  arena.release(c);
  arena.release(b);
  arena.reset_peaks();
  CHECK(arena.stats().live == 0);
  CHECK(arena.stats().peak == 0);
}

TEST_CASE("arena: releasing what is not a block is refused") {
  Arena arena(4096);
  const int64_t a = arena.allocate(512);
  CHECK_REFUSED(arena.release(a + 256), "256");
  arena.release(a);
  CHECK_REFUSED(arena.release(a), "no block");
}

TEST_CASE("arena: a thousand random calls never overlap and never lose a byte, holes that touch become one") {
  constexpr int64_t limit = 64 * 1024;
  Arena arena(limit);
  std::map<int64_t, int64_t> live;
  int64_t bytes_live = 0;
  const RandomKey key{11, 0, 0};
  for (uint64_t i = 0; i < 1000; ++i) {
    CAPTURE(i);
    if (live.empty() || uniform(key, 2 * i) < 0.6) {
      const int64_t bytes = 1 + uniform_below(key, 2 * i + 1, 6000), rounded = (bytes + 255) / 256 * 256;
      const int64_t at = arena.allocate(bytes);
      if (at < 0) continue;
      REQUIRE(at % Arena::kAlignment == 0);
      REQUIRE(at + rounded <= limit);
      const auto next = live.lower_bound(at);
      if (next != live.end()) REQUIRE(at + rounded <= next->first);
      if (next != live.begin()) REQUIRE(std::prev(next)->first + std::prev(next)->second <= at);
      live[at] = rounded;
      bytes_live += rounded;
    } else {
      auto victim = std::next(live.begin(), uniform_below(key, 2 * i + 1, uint32_t(live.size())));
      arena.release(victim->first);
      bytes_live -= victim->second;
      live.erase(victim);
    }
    REQUIRE(arena.stats().live == bytes_live);
  }
  while (!live.empty()) {
    arena.release(live.begin()->first);
    live.erase(live.begin());
  }
  CHECK(arena.allocate(limit) == 0);
}

TEST_CASE("memory_stats: a tensor counts while it lives") {
  const int64_t before = memory_stats(Device::cpu).live;
  {
    const Tensor t({100, 10}, DType::f32, Device::cpu);
    CHECK(memory_stats(Device::cpu).live == before + 4096);
    reset_peak_memory(Device::cpu);
    const Tensor u({64}, DType::f32, Device::cpu);
  }
  CHECK(memory_stats(Device::cpu).live == before);
  CHECK(memory_stats(Device::cpu).peak_live == before + 4096 + 256);
}

TEST_CASE("arena: a block is made where it is asked for, unless some of that is in use") {
  Arena arena(4096);
  CHECK(arena.allocate_at(512, 512));
  CHECK_FALSE(arena.allocate_at(256, 512));
  CHECK_FALSE(arena.allocate_at(768, 512));
  CHECK(arena.allocate_at(2048, 256));
  CHECK(arena.allocate_at(1280, 256));
  CHECK_FALSE(arena.allocate_at(1024, 512));
  CHECK_FALSE(arena.allocate_at(3840, 512));
  CHECK(arena.stats().live == 1024);
  CHECK(arena.allocate(512) == 0);
  CHECK(arena.allocate(512) == 1536);
  CHECK(arena.allocate(256) == 1024);
  for (const int64_t at : {512, 2048, 1280, 0, 1536, 1024}) arena.release(at);
  CHECK(arena.allocate(4096) == 0);
}

TEST_CASE("footprint: the memory that work passed through is kept for it, or given to others and taken again") {
  const auto live = [] { return memory_stats(Device::cpu).live; };
  const int64_t before = live();
  Footprint footprint(Device::cpu);
  const void* first = nullptr;
  const auto work = [&] {
    const Tensor a({1000}, DType::f32, Device::cpu);
    { const Tensor b({500}, DType::f32, Device::cpu); }
    const Tensor c({500}, DType::f32, Device::cpu);
    first = a.raw();
  };
  footprint.note(work);
  CHECK(live() == before);
  REQUIRE(footprint.take());
  CHECK(live() == before + 4096 + 2048);
  const Tensor elsewhere({1000}, DType::f32, Device::cpu);
  CHECK(elsewhere.raw() != first);
  footprint.give();
  {
    const Tensor guest({1000}, DType::f32, Device::cpu);
    CHECK(guest.raw() == first);
    CHECK_FALSE(footprint.take());
    CHECK(live() == before + 2 * 4096);
  }
  CHECK(footprint.take());
  CHECK(live() == before + 2 * 4096 + 2048);
  footprint.clear();
  CHECK(live() == before + 4096);
  CHECK(footprint.take());
  CHECK(live() == before + 4096);
}
