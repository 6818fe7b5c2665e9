/// "Data Movement and Conversion Instructions": ld, st, cp.async; and the counting of sectors and wavefronts.
#include <algorithm>
#include <array>

#include "tests/ptx/block.h"
#include "tests/ptx/operation.h"

namespace ptx {
namespace {

enum class Space { parameter, global, shared, local, generic };

/// Addresses of the active lanes.
struct Addresses {
  std::array<uint64_t, kLanes> at;
  Addresses(Warp& w, const Instruction& i, int operand) {
    if (i.wide >> operand & 1) {
      const uint64_t* const row = w.row<uint64_t>(i.at[operand]);
      for (int l = 0; l < kLanes; ++l) at[size_t(l)] = row[l] + uint64_t(i.immediate);
    } else {
      const uint32_t* const row = w.row<uint32_t>(i.at[operand]);
      for (int l = 0; l < kLanes; ++l) at[size_t(l)] = row[l] + uint32_t(i.immediate);
    }
  }
};

void count_sectors(const Warp& w, const Addresses& a, int bytes) {
  std::array<uint64_t, kLanes> sectors;
  std::array<uint64_t, kLanes> places;
  size_t n = 0;
  for (int l = 0; l < kLanes; ++l)
    if (w.active >> l & 1) sectors[n] = a.at[size_t(l)] / 32, places[n++] = a.at[size_t(l)];
  std::sort(sectors.begin(), sectors.begin() + n);
  std::sort(places.begin(), places.begin() + n);
  const size_t distinct = size_t(std::unique(places.begin(), places.begin() + n) - places.begin());
  Counts& c = w.block->kernel.counts;
  c.sectors += uint64_t(std::unique(sectors.begin(), sectors.begin() + n) - sectors.begin());
  c.least_sectors += (distinct * size_t(bytes) + 31) / 32;
}

/// Lanes are served in groups of 128 bytes; a group takes as many wavefronts as its busiest bank has words.
void count_wavefronts(const Warp& w, const Addresses& a, int bytes, uint64_t& taken, uint64_t& least) {
  const int in_group = std::min(kLanes, 128 / bytes);
  for (int first = 0; first < kLanes; first += in_group) {
    std::array<uint32_t, 32> words;  // of all banks, each once
    size_t n = 0;
    for (int l = first; l < first + in_group; ++l)
      if (w.active >> l & 1)
        for (int b = 0; b < bytes; b += 4) words[n++] = uint32_t(a.at[size_t(l)] + uint64_t(b)) / 4;
    if (n == 0) continue;
    std::sort(words.begin(), words.begin() + n);
    n = size_t(std::unique(words.begin(), words.begin() + n) - words.begin());
    std::array<int, 32> of_bank{};
    for (size_t i = 0; i < n; ++i) ++of_bank[words[i] % 32];
    taken += uint64_t(*std::max_element(of_bank.begin(), of_bank.end()));
    least += 1;
  }
}
void count_shared(const Warp& w, const Addresses& a, int bytes) {
  Counts& c = w.block->kernel.counts;
  count_wavefronts(w, a, bytes, c.wavefronts, c.least_wavefronts);
}

/// The bytes of a lane's access in its space.
template <Space kSpace, int kSize, bool kWrite>
uint8_t* reach(Warp& w, int lane, uint64_t address) {
  Block& b = *w.block;
  if constexpr (kSpace == Space::global) {
    DeviceMemory& memory = DeviceMemory::get();
    kWrite ? memory.check_write<kSize>(address) : memory.check_read<kSize>(address);
    return reinterpret_cast<uint8_t*>(address);
  } else if constexpr (kSpace == Space::shared) {
    if (address >> 32) throw Violation("an address beyond shared memory");
    kWrite ? b.shared.check_write<kSize>(uint32_t(address), w.number)
           : b.shared.check_read<kSize>(uint32_t(address), w.number);
    return b.shared.bytes() + address;
  } else if constexpr (kSpace == Space::local) {
    if (address % kSize != 0 || address + kSize > b.kernel.local_bytes)
      throw Violation("an address outside local memory");
    return w.local.data() + size_t(lane) * b.kernel.local_bytes + address;
  } else if constexpr (kSpace == Space::parameter) {
    return b.parameters.data() + address;
  } else {
    const uint64_t inside = address & ((uint64_t(1) << kWindowShift) - 1);
    switch (Window(address >> kWindowShift)) {
      case Window::shared:
        return reach<Space::shared, kSize, kWrite>(w, lane, inside);
      case Window::local:
        return reach<Space::local, kSize, kWrite>(w, lane, inside);
      default:
        return reach<Space::global, kSize, kWrite>(w, lane, address);
    }
  }
}

template <Space kSpace, int kSize>
void count(Warp& w, const Addresses& a) {
  if (!w.block->options.count_memory) return;
  if constexpr (kSpace == Space::global) count_sectors(w, a, kSize);
  if constexpr (kSpace == Space::shared) count_shared(w, a, kSize);
}

/// T: what lies in memory; a wider register is filled by its sign or by zeros.
template <Space kSpace, class T, int kCount>
void load(Warp& w, const Instruction& i) {
  const Addresses a(w, i, kCount);
  count<kSpace, int(sizeof(T)) * kCount>(w, a);
  for (int l = 0; l < kLanes; ++l) {
    if (!(w.active >> l & 1)) continue;
    const uint8_t* const from = reach<kSpace, int(sizeof(T)) * kCount, false>(w, l, a.at[size_t(l)]);
    for (int n = 0; n < kCount; ++n) {
      T v;
      std::memcpy(&v, from + sizeof(T) * size_t(n), sizeof v);
      if (i.wide >> n & 1)
        w.row<uint64_t>(i.at[n])[l] = uint64_t(int64_t(v));
      else
        w.row<uint32_t>(i.at[n])[l] = uint32_t(int32_t(v));
    }
  }
}
template <Space kSpace, class T, int kCount>
void store(Warp& w, const Instruction& i) {
  const Addresses a(w, i, 0);
  count<kSpace, int(sizeof(T)) * kCount>(w, a);
  for (int l = 0; l < kLanes; ++l) {
    if (!(w.active >> l & 1)) continue;
    uint8_t* const to = reach<kSpace, int(sizeof(T)) * kCount, true>(w, l, a.at[size_t(l)]);
    for (int n = 0; n < kCount; ++n) {
      const T v = i.wide >> (n + 1) & 1 ? T(w.row<uint64_t>(i.at[n + 1])[l]) : T(w.row<uint32_t>(i.at[n + 1])[l]);
      std::memcpy(to + sizeof(T) * size_t(n), &v, sizeof v);
    }
  }
}

template <Space kSpace, class T, int kCount>
void add_access(Table& t, const std::string& space, const std::string& type) {
  const std::string vector = kCount == 1 ? "" : ".v" + std::to_string(kCount);
  t["ld" + space + vector + "." + type] = {load<kSpace, T, kCount>, {}};
  if (kSpace == Space::global) t["ld.global.nc" + vector + "." + type] = {load<kSpace, T, kCount>, {}};
  if (kSpace != Space::parameter) t["st" + space + vector + "." + type] = {store<kSpace, T, kCount>, {}};
}
template <Space kSpace>
void add_space(Table& t, const std::string& space) {
  const auto widths = [&]<class T>(T, const std::string& type) {
    add_access<kSpace, T, 1>(t, space, type);
    add_access<kSpace, T, 2>(t, space, type);
    if constexpr (sizeof(T) < 8) add_access<kSpace, T, 4>(t, space, type);
  };
  widths(uint8_t{}, "u8"), widths(uint8_t{}, "b8"), widths(int8_t{}, "s8");
  widths(uint16_t{}, "u16"), widths(uint16_t{}, "b16"), widths(int16_t{}, "s16");
  widths(uint32_t{}, "u32"), widths(uint32_t{}, "b32"), widths(int32_t{}, "s32"), widths(uint32_t{}, "f32");
  widths(uint64_t{}, "u64"), widths(uint64_t{}, "b64"), widths(int64_t{}, "s64"), widths(uint64_t{}, "f64");
}

/// "cp.async.cg.shared.global [to], [from], 16, read": zeros beyond the `read` bytes, which alone are checked.
void start_copies(Warp& w, const Instruction& i) {
  const Addresses to(w, i, 0);
  if (w.block->options.count_memory) {
    Counts& c = w.block->kernel.counts;
    count_wavefronts(w, to, 16, c.copy_wavefronts, c.least_copy_wavefronts);
    Addresses from(w, i, 1);
    Lanes reading = 0;
    for (int l = 0; l < kLanes; ++l)
      if (i.at[3] == 0 || w.row<uint32_t>(i.at[3])[l]) reading |= Lanes(1) << l;
    const Lanes all = std::exchange(w.active, w.active & reading);
    count_sectors(w, from, 16);
    w.active = all;
  }
  const uint64_t* const from = w.row<uint64_t>(i.at[1]);
  for (int l = 0; l < kLanes; ++l) {
    if (!(w.active >> l & 1)) continue;
    const uint32_t read = i.at[3] ? w.row<uint32_t>(i.at[3])[l] : 16;
    if (read > 16) throw Violation("cp.async is to read more than it writes");
    if (read == 16) DeviceMemory::get().check_read<16>(from[l]);
    if (read != 16 && read != 0)
      throw Violation("cp.async reads a part of 16 bytes, which this executor does not check");
    w.block->shared.start_copy(uint32_t(to.at[size_t(l)]), w.number);
    w.open.push_back({uint32_t(to.at[size_t(l)]), from[l], 16, read});
  }
}
void commit_copies(Warp& w, const Instruction&) {
  need_all_lanes(w, "cp.async.commit_group");
  w.groups.push_back(std::exchange(w.open, {}));
}

}  // namespace

void wait_for_copies(Warp& w, size_t pending) {
  for (; w.groups.size() > pending; w.groups.pop_front())
    for (const Copy& c : w.groups.front()) {
      uint8_t* const to = w.block->shared.bytes() + c.to;
      std::memset(to, 0, c.bytes);
      if (c.read) std::memcpy(to, reinterpret_cast<const void*>(c.from), c.read);
      w.block->shared.finish_copy(c.to, w.number);
    }
}

void add_memory(Table& t) {
  add_space<Space::parameter>(t, ".param");
  add_space<Space::global>(t, ".global");
  add_space<Space::shared>(t, ".shared");
  add_space<Space::local>(t, ".local");
  add_space<Space::generic>(t, "");
  t["cp.async.cg.shared.global"] = {start_copies, {}};
  t["cp.async.commit_group"] = {commit_copies, {}};
  t["cp.async.wait_group"] = {[](Warp& w, const Instruction& i) {
                                need_all_lanes(w, "cp.async.wait_group");
                                wait_for_copies(w, size_t(i.immediate));
                              },
                              {}};
}

}  // namespace ptx
