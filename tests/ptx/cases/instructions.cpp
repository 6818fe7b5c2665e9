/// Instructions by hand: corners of the ISA that the backend's own kernels may not reach, and what the executor counts.
#include <doctest/doctest.h>
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "tests/ptx/kernel.h"
#include "tests/ptx/memory.h"
#include "tests/ptx/module.h"

namespace {

using namespace ptx;

/// A kernel of one parameter, the address of device memory.
struct Program {
  Module module;
  std::unique_ptr<Kernel> kernel;
  explicit Program(const std::string& body) {
    module = read_module(
        ".version 8.0\n.target sm_90\n.address_size 64\n.visible .entry k(.param .u64 p)\n{\n"
        ".reg .pred %p<9>; .reg .b16 %h<9>; .reg .b32 %r<40>; .reg .f32 %f<9>; .reg .b64 %rd<9>; .reg .f64 %d<9>;\n"
        "ld.param.u64 %rd0, [p];\n" +
        body + "\nret;\n}\n");
    kernel = read_kernel(module, module.kernels.at("k"), module.kernels.at("k").body);
  }
  void run(void* memory, uint32_t threads = 32, const LaunchOptions& options = {}) {
    run_grid(*kernel, {}, {threads, 1, 1}, pack_arguments(*kernel, std::vector<void*>{&memory}.data()), 0, options);
  }
};
/// Device memory while it lives.
template <class T>
struct Memory {
  T* at;
  explicit Memory(size_t n) : at(static_cast<T*>(DeviceMemory::get().allocate(n * sizeof(T)))) {}
  ~Memory() { DeviceMemory::get().release(at); }
  void fill(const std::vector<T>& values) {
    DeviceMemory::get().check_write(at, values.size() * sizeof(T));
    std::copy(values.begin(), values.end(), at);
  }
};

/// The 64 bits that `code` leaves in %rd1.
uint64_t result_of(const std::string& code) {
  Memory<uint64_t> memory(1);
  Program(code + "\nst.global.u64 [%rd0], %rd1;").run(memory.at, 1);
  return *memory.at;
}
std::string violation_of(const std::string& code, void* memory, uint32_t threads = 32) {
  try {
    Program(code).run(memory, threads);
  } catch (const Violation& v) {
    return v.what();
  }
  return "";
}
bool contains(const std::string& text, const char* part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("ptx: conversions are clamped, and NaN and signs are as the ISA says") {
  const auto to_s32 = [](const char* f) {
    return int32_t(result_of(fmt::format("mov.f32 %f1, {}; cvt.rzi.s32.f32 %r1, %f1; cvt.u64.u32 %rd1, %r1;", f)));
  };
  CHECK(to_s32("0f4F000000") == std::numeric_limits<int32_t>::max());  // 2^31
  CHECK(to_s32("0fCF800000") == std::numeric_limits<int32_t>::min());
  CHECK(to_s32("0f7FC00000") == 0);
  CHECK(to_s32("0fBFC00000") == -1);
  CHECK(result_of("mov.f64 %d1, 0d7FF8000000000000; cvt.rzi.s64.f64 %rd1, %d1;") == uint64_t(1) << 63);
  CHECK(result_of("mov.u16 %h1, 65535; cvt.s64.s16 %rd1, %h1;") == ~uint64_t(0));
  CHECK(result_of("mov.u16 %h1, 65535; cvt.u64.u16 %rd1, %h1;") == 65535);
  // min takes the number where the other is none, and -0 before 0.
  CHECK(result_of("min.f32 %f1, 0f7FC00000, 0f3F800000; mov.b32 %r1, %f1; cvt.u64.u32 %rd1, %r1;") == 0x3f800000u);
  CHECK(result_of("min.f32 %f1, 0f00000000, 0f80000000; mov.b32 %r1, %f1; cvt.u64.u32 %rd1, %r1;") == 0x80000000u);
  // 1 + 2^-8 lies halfway between two numbers of bf16.
  CHECK(result_of("cvt.rn.bf16.f32 %h1, 0f3F808000; cvt.u64.u16 %rd1, %h1;") == 0x3f80);
  CHECK(result_of("cvt.rn.bf16.f32 %h1, 0f3F818000; cvt.u64.u16 %rd1, %h1;") == 0x3f82);
  CHECK(result_of("cvt.rna.tf32.f32 %r1, 0f3F801000; cvt.u64.u32 %rd1, %r1;") == 0x3f802000u);
}

TEST_CASE("ptx: shifts beyond the width, division by -1, and carries") {
  CHECK(result_of("mov.u64 %rd2, 1; mov.u32 %r1, 64; shl.b64 %rd1, %rd2, %r1;") == 0);
  CHECK(result_of("mov.u64 %rd2, -4; shr.s64 %rd1, %rd2, 70;") == ~uint64_t(0));
  CHECK(result_of("mov.u64 %rd2, -9223372036854775808; div.s64 %rd1, %rd2, -1;") == uint64_t(1) << 63);
  CHECK(result_of("mov.u32 %r1, -1; mov.u32 %r2, 2; add.cc.u32 %r3, %r1, %r2; addc.u32 %r4, 0, 0;"
                  "mov.b64 %rd1, {%r3,%r4};") == (uint64_t(1) << 32) + 1);
  CHECK(result_of("mul.wide.s32 %rd1, -3, 5;") == uint64_t(-15));
  CHECK(result_of(
            "mov.u64 %rd2, 0x100000002; mov.b64 {%r1,%r2}, %rd2; sub.s32 %r3, %r1, %r2; cvt.u64.u32 %rd1, %r3;") == 1);
}

TEST_CASE("ptx: lanes part and meet again, and count as they go") {
  Memory<uint32_t> memory(32);
  // Lane l turns l times, then all are together, as ldmatrix would ask.
  Program p(
      "mov.u32 %r1, %tid.x; mov.u32 %r2, 0; mov.u32 %r3, 0;\n"
      "LOOP: setp.ge.u32 %p1, %r2, %r1; @%p1 bra DONE; add.u32 %r3, %r3, 3; add.u32 %r2, %r2, 1; bra LOOP;\n"
      "DONE: bar.sync 0; mul.wide.u32 %rd1, %r1, 4; add.s64 %rd2, %rd0, %rd1; st.global.u32 [%rd2], %r3;");
  p.run(memory.at);
  for (uint32_t l = 0; l < 32; ++l) CHECK(memory.at[l] == 3 * l);
  CHECK(p.kernel->instructions("add.u32 %r3") == 31);
  CHECK(p.kernel->instructions("bar.sync") == 1);
  CHECK(contains(
      violation_of("mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 7; @%p1 bra A; bra B; A: bar.sync 0; B:", memory.at),
      "a part of the warp's lanes"));
  // Whole warps: of two, the second ends.
  const char* half = "mov.u32 %r1, %tid.x; setp.lt.u32 %p1, %r1, 32; @%p1 bra A; bra B; A: bar.sync 0; B:";
  CHECK(contains(violation_of(half, memory.at, 64), "a part of the block's warps"));
  CHECK(violation_of(half, memory.at, 32).empty());
}

TEST_CASE("ptx: memory that nobody wrote, that is nobody's, or that is not aligned") {
  Memory<uint32_t> memory(4);
  CHECK(contains(violation_of("ld.global.u32 %r1, [%rd0];", memory.at, 1), "nothing has written"));
  memory.fill({1, 2, 3, 4});
  CHECK(violation_of("ld.global.v4.u32 {%r1,%r2,%r3,%r4}, [%rd0];", memory.at, 1).empty());
  CHECK(contains(violation_of("ld.global.u32 %r1, [%rd0+16];", memory.at, 1), "outside every live tensor"));
  CHECK(contains(violation_of("ld.global.v2.u32 {%r1,%r2}, [%rd0+4];", memory.at, 1), "not aligned"));
  CHECK(contains(violation_of("st.global.u32 [%rd0+260], 1;", memory.at, 1), "outside every live tensor"));
  CHECK(contains(violation_of(".shared .align 4 .b8 s[64]; ld.shared.u32 %r1, [s+4];", memory.at, 1),
                 "nothing has written"));
  // Two warps meet at a word.
  const std::string race =
      ".shared .align 4 .b8 s[4]; mov.u32 %r1, %tid.x; setp.eq.u32 %p1, %r1, {}; @%p1 st.shared.u32 [s], 1; "
      "setp.eq.u32 %p2, %r1, {}; {} @%p2 ld.shared.u32 %r2, [s];";
  CHECK(contains(violation_of(fmt::format(fmt::runtime(race), 0, 32, ""), memory.at, 64), "since the last barrier"));
  CHECK(violation_of(fmt::format(fmt::runtime(race), 0, 32, "bar.sync 0;"), memory.at, 64).empty());
}

TEST_CASE("ptx: banks and sectors are counted") {
  Memory<float> memory(32 * 32);
  memory.fill(std::vector<float>(32 * 32, 1));
  const auto counts = [&](const std::string& code) {
    Program p(".shared .align 16 .b8 s[8192]; mov.u32 %r1, %tid.x; " + code);
    p.run(memory.at, 32, {.count_memory = true});
    return p.kernel->counts;
  };
  const std::string at = "mul.lo.u32 %r2, %r1, {}; mov.u32 %r3, s; add.u32 %r3, %r3, %r2; st.shared.u32 [%r3], 1;";
  CHECK(counts(fmt::format(fmt::runtime(at), 4)).wavefronts == 1);
  CHECK(counts(fmt::format(fmt::runtime(at), 8)).wavefronts == 2);
  CHECK(counts(fmt::format(fmt::runtime(at), 128)).wavefronts == 32);
  const std::string global = "mul.wide.u32 %rd1, %r1, {}; add.s64 %rd1, %rd0, %rd1; ld.global.f32 %f1, [%rd1];";
  CHECK(counts(fmt::format(fmt::runtime(global), 4)).sectors == 4);
  CHECK(counts(fmt::format(fmt::runtime(global), 4)).least_sectors == 4);
  CHECK(counts(fmt::format(fmt::runtime(global), 128)).sectors == 32);
}
