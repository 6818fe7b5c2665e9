/// Chapter 11, second program: PTX, the assembly that nvcc makes of a kernel, run on this machine with every access
/// watched.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <regex>

#include "tests/ptx/kernel.h"
#include "tests/ptx/memory.h"
#include "tests/ptx/module.h"

namespace {

/// y[i] = x[63 - i] through shared memory, for one block of 64 threads. $ stands where the barrier belongs.
const std::string kMirror = R"(
.version 8.0
.target sm_90
.address_size 64
.visible .entry mirror(.param .u64 x, .param .u64 y)
{
.reg .b32 %r<9>; .reg .f32 %f<3>; .reg .b64 %rd<9>;
.shared .align 4 .b8 s[256];
ld.param.u64 %rd1, [x];
ld.param.u64 %rd2, [y];
mov.u32 %r1, %tid.x;
mul.wide.u32 %rd3, %r1, 4;        // the byte of number i
add.s64 %rd4, %rd1, %rd3;
ld.global.f32 %f1, [%rd4];
mov.u32 %r2, s;
shl.b32 %r3, %r1, 2;
add.u32 %r4, %r2, %r3;
st.shared.f32 [%r4], %f1;         // s[i] = x[i]
$
sub.u32 %r5, 252, %r3;
add.u32 %r6, %r2, %r5;
ld.shared.f32 %f2, [%r6];         // s[63 - i], which another thread wrote
add.s64 %rd5, %rd2, %rd3;
st.global.f32 [%rd5], %f2;        // y[i]
ret;
}
)";

/// Runs the kernel with that line in place of the barrier on `count` numbers.
void run(const char* what, const std::string& barrier, size_t count) {
  std::string text = kMirror;
  text.replace(text.find('$'), 1, barrier);
  const ptx::Module module = ptx::read_module(text);
  const ptx::Source& source = module.kernels.at("mirror");
  const auto kernel = ptx::read_kernel(module, source, source.body);
  ptx::DeviceMemory& memory = ptx::DeviceMemory::get();
  auto* x = static_cast<float*>(memory.allocate(count * sizeof(float)));
  auto* y = static_cast<float*>(memory.allocate(count * sizeof(float)));
  memory.check_write(x, count * sizeof(float));
  for (size_t i = 0; i < count; ++i) x[i] = float(i);
  void* arguments[] = {&x, &y};
  try {
    ptx::run_grid(*kernel, {}, {64, 1, 1}, ptx::pack_arguments(*kernel, arguments), 0, {});
    fmt::print("{}: {} ... {}, {} instructions\n", what, fmt::join(y, y + 4, " "), y[63], kernel->instructions());
  } catch (const ptx::Violation& v) {
    fmt::print("{}:\n  {}\n", what, std::regex_replace(v.what(), std::regex(" at 0x[0-9a-f]+"), ""));
  }
  memory.release(x), memory.release(y);
}

}  // namespace

int main() {
  run("with its barrier", "bar.sync 0;", 64);
  run("without", "", 64);
  run("with half the memory", "bar.sync 0;", 32);
}
