/// nvcc's objects register their fat binaries before main: the PTX in them is what runs.
#include "tests/ptx/device.h"

#include <cuda_runtime_api.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <unordered_map>
#include <utility>

namespace ptx {
namespace {

struct FatBinary {
  std::string text;
  std::unique_ptr<Module> module;
};
std::vector<std::unique_ptr<FatBinary>>& binaries() {
  static std::vector<std::unique_ptr<FatBinary>> all;
  return all;
}
struct Registered {
  FatBinary* binary;
  DeviceKernel kernel;
};
std::unordered_map<const void*, Registered>& registered() {
  static std::unordered_map<const void*, Registered> all;
  return all;
}

Settings from_environment() {
  const auto variable = [](const char* name) {
    const char* const v = std::getenv(name);
    return std::string(v ? v : "");
  };
  Settings s;
  const std::string memory = variable("CRIS_EMULATOR_MEMORY_MB"), capability = variable("CRIS_PTX_CAPABILITY");
  s.memory = (memory.empty() ? size_t(8192) : std::stoul(memory)) << 20;
  char end = 0;
  if (!capability.empty() && std::sscanf(capability.c_str(), "%d.%d%c", &s.major, &s.minor, &end) != 2) {
    fmt::print(stderr, "CRIS_PTX_CAPABILITY={}: a capability is two numbers, such as 7.5\n", capability);
    std::exit(2);
  }
  s.run = variable("CRIS_PTX_RUN") != "0";
  s.report = variable("CRIS_PTX_REPORT");
  s.count_memory = !s.report.empty();
  return s;
}

/// The first PTX of a fat binary: a header of magic, version, its own size and the size of what follows; then entries
/// of kind (1 is PTX), version, their header's size and the payload's. nvcc's -no-compress leaves the text as it is.
std::string ptx_of(const void* wrapper) {
  const char* at;
  std::memcpy(&at, static_cast<const char*>(wrapper) + 8, sizeof at);
  uint16_t header;
  uint64_t bytes;
  std::memcpy(&header, at + 6, sizeof header);
  std::memcpy(&bytes, at + 8, sizeof bytes);
  const char* const end = at + header + bytes;
  for (at += header; at < end;) {
    uint16_t kind;
    uint32_t head;
    uint64_t size;
    std::memcpy(&kind, at, sizeof kind);
    std::memcpy(&head, at + 4, sizeof head);
    std::memcpy(&size, at + 8, sizeof size);
    if (kind == 1) return std::string(at + head, strnlen(at + head, size));
    at += head + size;
  }
  return "";
}

/// From "_ZN6tensor4cuda39_GLOBAL__N__..._conv_cu_a1a2_13conv2d_kernelIfE..." what comes after the file.
std::string short_name(const std::string& mangled) {
  const size_t unnamed = mangled.find("_GLOBAL__N__"), source = mangled.find("_cu_", unnamed);
  if (unnamed == std::string::npos || source == std::string::npos) return mangled;
  // After the file comes a hash of eight digits, and in some versions one of seven more.
  size_t at = source + 4;
  while (at < mangled.size() && mangled.compare(at, 8, "_kernelI") != 0) ++at;
  size_t begin = at;
  while (begin > source + 4 && (std::isalpha(mangled[begin - 1]) || mangled[begin - 1] == '_' ||
                                (mangled[begin - 1] == '2' && mangled[begin] == 'd')))
    --begin;
  return mangled.substr(begin);
}

}  // namespace

Settings& settings() {
  static Settings the_one = from_environment();
  return the_one;
}
Tally& tally() {
  static Tally the_one;
  return the_one;
}

DeviceKernel* find_kernel(const void* address) {
  const auto found = registered().find(address);
  return found == registered().end() ? nullptr : &found->second.kernel;
}

Kernel& ready(DeviceKernel& k) {
  if (k.ready) return *k.ready;
  for (auto& [address, r] : registered())
    if (&r.kernel == &k && !k.module) {
      if (!r.binary->module) r.binary->module = std::make_unique<Module>(read_module(r.binary->text));
      k.module = r.binary->module.get();
    }
  const auto source = k.module->kernels.find(k.name);
  if (source == k.module->kernels.end()) throw std::runtime_error("ptx: the fat binary has no PTX of kernel " + k.name);
  k.ready = read_kernel(*k.module, source->second, source->second.body);
  return *k.ready;
}

std::vector<DeviceKernel*> kernels_named(const std::string& part) {
  std::vector<DeviceKernel*> found;
  for (auto& [address, r] : registered())
    if (r.kernel.name.find(part) != std::string::npos) found.push_back(&r.kernel);
  return found;
}

Mutation::Mutation(const std::string& part, const std::function<std::string(const std::string&)>& edit) {
  bool changed = false;
  settings().print = false;  // what is broken is meant to be
  for (DeviceKernel* k : kernels_named(part)) {
    ready(*k);
    const Source& source = k->module->kernels.at(k->name);
    const std::string body = edit(source.body);
    changed |= body != source.body;
    before_.emplace_back(k, std::exchange(k->ready, read_kernel(*k->module, source, body)));
  }
  if (!changed) throw std::runtime_error("ptx: the mutation changes nothing of a kernel named " + part);
}
Mutation::~Mutation() {
  settings().print = true;
  for (auto& [kernel, body] : before_) kernel->ready = std::move(body);
}

std::string report() {
  std::vector<const Kernel*> kernels;
  uint64_t instructions = 0;
  for (const auto& [address, r] : registered())
    if (r.kernel.ready && r.kernel.ready->counts.launches) kernels.push_back(r.kernel.ready.get());
  for (const Kernel* k : kernels) instructions += k->instructions();
  std::sort(kernels.begin(), kernels.end(), [](const Kernel* a, const Kernel* b) {
    return std::pair(a->instructions(), a->counts.launches) > std::pair(b->instructions(), b->counts.launches);
  });
  const Tally& t = tally();
  std::string text = fmt::format(
      "launches {} (of at most 4 blocks: {}), graphs launched {}, warp instructions {}, violations {}\n\n"
      "| kernel | launches | blocks | warp instructions | mma | ldmatrix | cp.async | global sectors / least "
      "| shared wavefronts / least | cp.async's |\n|---|---|---|---|---|---|---|---|---|---|\n",
      t.launches, t.small_launches, t.graph_launches, instructions, t.violations);
  const auto ratio = [](uint64_t a, uint64_t b) { return b ? fmt::format("{:.2f}", double(a) / double(b)) : "-"; };
  for (const Kernel* k : kernels) {
    const Counts& c = k->counts;
    text += fmt::format("| {} | {} | {} | {} | {} | {} | {} | {} | {} | {} |\n", short_name(k->name), c.launches,
                        c.blocks, k->instructions(), k->instructions("mma."), k->instructions("ldmatrix."),
                        k->instructions("cp.async.cg"), ratio(c.sectors, c.least_sectors),
                        ratio(c.wavefronts, c.least_wavefronts), ratio(c.copy_wavefronts, c.least_copy_wavefronts));
  }
  return text;
}

}  // namespace ptx

// ---- what nvcc's objects call before main

extern "C" {

void** __cudaRegisterFatBinary(void* wrapper) {
  auto& binary = ptx::binaries().emplace_back(std::make_unique<ptx::FatBinary>());
  binary->text = ptx::ptx_of(wrapper);
  return reinterpret_cast<void**>(binary.get());
}
void __cudaRegisterFatBinaryEnd(void**) {}
void __cudaUnregisterFatBinary(void**) {}
void __cudaRegisterFunction(void** binary, const char* host, char*, const char* name, int, uint3*, uint3*, dim3*, dim3*,
                            int*) {
  ptx::Registered& r = ptx::registered()[host];
  r.binary = reinterpret_cast<ptx::FatBinary*>(binary);
  r.kernel.module = nullptr;
  r.kernel.name = name;
}
void __cudaRegisterVar(void**, char*, char*, const char*, int, size_t, int, int) {}
char __cudaInitModule(void**) { return 0; }

}  // extern "C"

namespace ptx {
namespace {
/// Written when the program ends, before the tables that it reads are gone.
const struct ReportAtExit {
  ReportAtExit() { settings(), tally(), registered(), binaries(); }
  ~ReportAtExit() {
    if (!settings().report.empty()) std::ofstream(settings().report) << report();
  }
} report_at_exit;
}  // namespace
}  // namespace ptx
