/// Blocks run one after another, and a block's warps in turn, each as far as its next barrier: as far apart as may be.
#include "tests/ptx/block.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

namespace ptx {
namespace {

Lanes guard_lanes(Warp& w, const Instruction& i) {
  const uint32_t* const p = w.row<uint32_t>(i.guard);
  Lanes set = 0;
  for (int l = 0; l < kLanes; ++l) set |= (p[l] & 1) << l;
  return i.guard_negated ? ~set : set;
}

uint32_t special(const std::string& name, const Block& b, uint32_t thread) {
  const uint32_t tid[] = {thread % b.size.x, thread / b.size.x % b.size.y, thread / b.size.x / b.size.y};
  const uint32_t ctaid[] = {b.index.x, b.index.y, b.index.z}, ntid[] = {b.size.x, b.size.y, b.size.z};
  const uint32_t nctaid[] = {b.grid.x, b.grid.y, b.grid.z};
  const size_t axis = size_t(name.back() - 'x');
  if (name == "%laneid") return thread % kLanes;
  if (name.starts_with("%tid.")) return tid[axis];
  if (name.starts_with("%ctaid.")) return ctaid[axis];
  if (name.starts_with("%ntid.")) return ntid[axis];
  return nctaid[axis];
}

}  // namespace

uint64_t Kernel::instructions() const { return std::accumulate(hits.begin(), hits.end(), uint64_t(0)); }
uint64_t Kernel::instructions(const std::string& prefix) const {
  uint64_t sum = 0;
  for (size_t i = 0; i < code.size(); ++i) {
    const size_t begin = text[i].starts_with('@') ? text[i].find(' ') + 1 : 0;
    if (text[i].compare(begin, prefix.size(), prefix) == 0) sum += hits[i];
  }
  return sum;
}

void Block::start(Warp& w, int number, uint32_t threads) {
  w.block = this;
  w.number = number;
  const uint32_t first = uint32_t(number) * kLanes, count = std::min<uint32_t>(threads - first, kLanes);
  w.start(count == kLanes ? kAll : (Lanes(1) << count) - 1);
  for (const SpecialRow& s : kernel.specials) {
    uint32_t* const row = w.row<uint32_t>(s.row);
    for (uint32_t l = 0; l < kLanes; ++l) row[l] = special(s.name, *this, first + l);
  }
  if (kernel.local_bytes) w.local.assign(size_t(kernel.local_bytes) * kLanes, 0xcd);
}

bool Block::run_warp(Warp& w) {
  const Instruction* const code = kernel.code.data();
  uint64_t* const hits = kernel.hits.data();
  while (w.here) {
    const Instruction& i = code[w.place];
    ++hits[w.place];
    w.active = i.guard < 0 ? w.here : w.here & guard_lanes(w, i);
    switch (i.kind) {
      case Kind::plain:
        if (w.active) i.run(w, i);
        ++w.place;
        if (!w.elsewhere.empty()) w.settle();
        break;
      case Kind::branch:
        w.branch(w.active, i.target);
        break;
      case Kind::exit:
        w.exit(w.active);
        break;
      case Kind::barrier:
        need_all_lanes(w, "a barrier");
        ++w.place;
        return true;
    }
  }
  if (!w.open.empty() || !w.groups.empty()) wait_for_copies(w, 0);
  return false;
}

void Block::run() {
  const uint32_t threads = size.x * size.y * size.z;
  const int count = int((threads + kLanes - 1) / kLanes);
  while (int(kernel.warps.size()) < count) {
    Warp& w = *kernel.warps.emplace_back(std::make_unique<Warp>());
    w.resize(kernel.rows);
    for (const Constant& c : kernel.constants)
      for (int l = 0; l < kLanes; ++l)
        c.wide ? w.row<uint64_t>(c.row)[l] = c.bits : w.row<uint32_t>(c.row)[l] = uint32_t(c.bits);
  }
  for (int n = 0; n < count; ++n) start(*kernel.warps[size_t(n)], n, threads);
  for (bool waiting = true; waiting; shared.pass_barrier()) {
    waiting = false;
    bool ended = false;
    for (int n = 0; n < count; ++n) {
      Warp& w = *kernel.warps[size_t(options.descending ? count - 1 - n : n)];
      try {
        if (w.living && run_warp(w)) waiting = true;
        if (!w.living) ended = true;
      } catch (const Violation& v) {
        throw Violation(fmt::format("{}\n  block {} {} {}, warp {}, lanes {:08x}: {}\n  {}", kernel.name, index.x,
                                    index.y, index.z, w.number, w.active, kernel.text[size_t(w.place)], v.what()));
      }
    }
    if (waiting && ended)
      throw Violation(fmt::format("{}\n  block {} {} {}: a barrier is reached by a part of the block's warps",
                                  kernel.name, index.x, index.y, index.z));
  }
}

std::vector<uint8_t> pack_arguments(const Kernel& kernel, void** arguments) {
  std::vector<uint8_t> packed(kernel.parameter_bytes);
  for (size_t i = 0; i < kernel.parameters.size(); ++i)
    std::memcpy(packed.data() + kernel.parameters[i].offset, arguments[i], kernel.parameters[i].bytes);
  return packed;
}

void run_grid(Kernel& kernel, Extent grid, Extent block, const std::vector<uint8_t>& parameters,
              uint32_t dynamic_shared, const LaunchOptions& options) {
  Block b(kernel, options);
  b.parameters = parameters;
  b.grid = grid, b.size = block;
  const uint64_t blocks = uint64_t(grid.x) * grid.y * grid.z;
  Counts& counts = kernel.counts;
  counts.launches += 1, counts.blocks += blocks;
  counts.warps += blocks * ((block.x * block.y * block.z + kLanes - 1) / kLanes);
  for (uint64_t n = 0; n < blocks; ++n) {
    const uint64_t at = options.descending ? blocks - 1 - n : n;
    b.index = {uint32_t(at % grid.x), uint32_t(at / grid.x % grid.y), uint32_t(at / grid.x / grid.y)};
    b.shared.start(kernel.shared_bytes + dynamic_shared);
    b.run();
  }
}

}  // namespace ptx
