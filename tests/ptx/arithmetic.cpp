/// Integer arithmetic, comparison, selection, logic and shifts.
#include <limits>

#include "tests/ptx/operation.h"

namespace ptx {
namespace {

/// Division by zero gives an unspecified value: here all ones.
template <class T>
T quotient(T a, T b) {
  if (b == 0) return T(-1);
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return T(0 - std::make_unsigned_t<T>(a));
  return a / b;
}
template <class T>
T remainder(T a, T b) {
  if (b == 0) return T(-1);
  if constexpr (std::is_signed_v<T>)
    if (b == -1) return 0;
  return a % b;
}

/// "Integer Arithmetic Instructions", "Comparison and Selection Instructions: setp, selp".
template <class T>
void add_integers(Table& t, const std::string& type) {
  using U = std::make_unsigned_t<T>;
  t["add." + type] = lanes<[](U a, U b) { return U(a + b); }>();
  t["sub." + type] = lanes<[](U a, U b) { return U(a - b); }>();
  t["mul.lo." + type] = lanes<[](U a, U b) { return U(uint64_t(a) * b); }>();
  t["mad.lo." + type] = lanes<[](U a, U b, U c) { return U(uint64_t(a) * b + c); }>();
  t["div." + type] = lanes<[](T a, T b) { return quotient(a, b); }>();
  t["rem." + type] = lanes<[](T a, T b) { return remainder(a, b); }>();
  t["min." + type] = lanes<[](T a, T b) { return b < a ? b : a; }>();
  t["max." + type] = lanes<[](T a, T b) { return a < b ? b : a; }>();
  t["neg." + type] = lanes<[](U a) { return U(0 - a); }>();
  t["abs." + type] = lanes<[](T a) { return T(a < 0 ? U(0 - U(a)) : U(a)); }>();
  t["setp.eq." + type] = lanes<[](T a, T b) { return a == b; }>();
  t["setp.ne." + type] = lanes<[](T a, T b) { return a != b; }>();
  t["setp.lt." + type] = lanes<[](T a, T b) { return a < b; }>();
  t["setp.le." + type] = lanes<[](T a, T b) { return a <= b; }>();
  t["setp.gt." + type] = lanes<[](T a, T b) { return (a > b); }>();
  t["setp.ge." + type] = lanes<[](T a, T b) { return a >= b; }>();
  // A shift by more than the width shifts everything out.
  t["shr." + type] = lanes<[](T a, uint32_t by) {
    const uint32_t most = 8 * sizeof(T) - 1;
    if constexpr (std::is_signed_v<T>) return T(a >> (by < most ? by : most));
    return T(by <= most ? a >> by : 0);
  }>();
}

/// What does not look at signs: "Logic and Shift Instructions", "Data Movement: mov", selp.
template <class T>
void add_bits(Table& t, const std::string& type) {
  t["and." + type] = lanes<[](T a, T b) { return T(a & b); }>();
  t["or." + type] = lanes<[](T a, T b) { return T(a | b); }>();
  t["xor." + type] = lanes<[](T a, T b) { return T(a ^ b); }>();
  t["not." + type] = lanes<[](T a) { return T(~a); }>();
  t["shl." + type] = lanes<[](T a, uint32_t by) { return T(by < 8 * sizeof(T) ? a << by : 0); }>();
  t["setp.eq." + type] = lanes<[](T a, T b) { return a == b; }>();
  t["setp.ne." + type] = lanes<[](T a, T b) { return a != b; }>();
}
template <class T>
void add_moves(Table& t, const std::string& type) {
  t["mov." + type] = lanes<[](T a) { return a; }>();
  t["selp." + type] = lanes<[](T a, T b, bool p) { return p ? a : b; }>();
}

/// "Extended-Precision Integer Arithmetic Instructions": F(a, b, c, carry) gives 33 bits, the highest the new carry.
/// kOut: the carry is written (.cc), kIn: it is read.
template <auto kF, int kSources, bool kIn, bool kOut>
Operation with_carry() {
  return {[](Warp& w, const Instruction& i) {
            uint32_t* const to = w.row<uint32_t>(i.at[0]);
            for_lanes(w, [&](int l) {
              const auto source = [&](int n) { return n <= kSources ? w.row<uint32_t>(i.at[n])[l] : 0; };
              const uint64_t sum = kF(source(1), source(2), source(3), kIn ? w.carry[l] : 0);
              if (kOut) w.carry[l] = uint32_t(sum >> 32) & 1;
              to[l] = uint32_t(sum);
            });
          },
          std::vector<OperandType>(kSources + 1)};
}
template <auto kF, int kSources>
void add_carries(Table& t, const std::string& name, const std::string& rest) {
  t[name + rest + ".cc.u32"] = with_carry<kF, kSources, false, true>();
  t[name + "c" + rest + ".u32"] = with_carry<kF, kSources, true, false>();
  t[name + "c" + rest + ".cc.u32"] = with_carry<kF, kSources, true, true>();
}
using Wide = uint64_t;
constexpr auto kAdd = [](uint32_t a, uint32_t b, uint32_t, uint32_t c) { return Wide(a) + b + c; };
// The carry of a subtraction is the borrow.
constexpr auto kSub = [](uint32_t a, uint32_t b, uint32_t, uint32_t c) { return Wide(a) - b - c; };
constexpr auto kMadLow = [](uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return Wide(uint32_t(a * b)) + c + d; };
constexpr auto kMadHigh = [](uint32_t a, uint32_t b, uint32_t c, uint32_t d) { return (Wide(a) * b >> 32) + c + d; };

}  // namespace

void add_arithmetic(Table& t) {
  add_integers<int16_t>(t, "s16");
  add_integers<uint16_t>(t, "u16");
  add_integers<int32_t>(t, "s32");
  add_integers<uint32_t>(t, "u32");
  add_integers<int64_t>(t, "s64");
  add_integers<uint64_t>(t, "u64");
  add_bits<uint16_t>(t, "b16");
  add_bits<uint32_t>(t, "b32");
  add_bits<uint64_t>(t, "b64");
  t["and.pred"] = lanes<[](bool a, bool b) { return a && b; }>();
  t["or.pred"] = lanes<[](bool a, bool b) { return a || b; }>();
  t["xor.pred"] = lanes<[](bool a, bool b) { return a != b; }>();
  t["not.pred"] = lanes<[](bool a) { return !a; }>();
  t["mov.pred"] = lanes<[](bool a) { return a; }>();
  for (const char* sign : {"b", "s", "u", "f"}) {
    if (*sign != 'f') add_moves<uint16_t>(t, sign + std::string("16"));
    add_moves<uint32_t>(t, sign + std::string("32"));
    add_moves<uint64_t>(t, sign + std::string("64"));
  }
  t["mul.hi.u32"] = lanes<[](uint32_t a, uint32_t b) { return uint32_t(Wide(a) * b >> 32); }>();
  t["mul.hi.s32"] = lanes<[](int32_t a, int32_t b) { return int32_t(int64_t(a) * b >> 32); }>();
  t["mul.hi.u64"] = lanes<[](uint64_t a, uint64_t b) { return uint64_t((unsigned __int128)(a)*b >> 64); }>();
  t["mul.wide.u32"] = lanes<[](uint32_t a, uint32_t b) { return Wide(a) * b; }>();
  t["mul.wide.s32"] = lanes<[](int32_t a, int32_t b) { return int64_t(a) * b; }>();
  t["mul.wide.u16"] = lanes<[](uint16_t a, uint16_t b) { return uint32_t(a) * b; }>();
  t["mul.wide.s16"] = lanes<[](int16_t a, int16_t b) { return int32_t(a) * b; }>();
  t["mad.wide.u32"] = lanes<[](uint32_t a, uint32_t b, uint64_t c) { return Wide(a) * b + c; }>();
  t["mad.wide.s32"] = lanes<[](int32_t a, int32_t b, int64_t c) { return int64_t(a) * b + c; }>();
  t["clz.b32"] = lanes<[](uint32_t a) { return uint32_t(std::countl_zero(a)); }>();
  t["clz.b64"] = lanes<[](uint64_t a) { return uint32_t(std::countl_zero(a)); }>();
  t["popc.b32"] = lanes<[](uint32_t a) { return uint32_t(std::popcount(a)); }>();
  // "shf": the high (or low) word of {b, a} shifted by c modulo 32.
  t["shf.l.wrap.b32"] =
      lanes<[](uint32_t a, uint32_t b, uint32_t by) { return uint32_t((Wide(b) << 32 | a) << (by & 31) >> 32); }>();
  t["shf.r.wrap.b32"] =
      lanes<[](uint32_t a, uint32_t b, uint32_t by) { return uint32_t((Wide(b) << 32 | a) >> (by & 31)); }>();
  // mov between a register and the vector of its halves.
  t["mov.b32.pack"] = lanes<[](uint16_t low, uint16_t high) { return uint32_t(low) | uint32_t(high) << 16; }>();
  t["mov.b64.pack"] = lanes<[](uint32_t low, uint32_t high) { return Wide(low) | Wide(high) << 32; }>();
  t["mov.b32.unpack"] = {[](Warp& w, const Instruction& i) {
                           for_lanes(w, [&](int l) {
                             const uint32_t v = w.row<uint32_t>(i.at[2])[l];
                             w.row<uint32_t>(i.at[0])[l] = v & 0xffff;
                             w.row<uint32_t>(i.at[1])[l] = v >> 16;
                           });
                         },
                         std::vector<OperandType>(3)};
  t["mov.b64.unpack"] = {[](Warp& w, const Instruction& i) {
                           for_lanes(w, [&](int l) {
                             const uint64_t v = w.row<uint64_t>(i.at[2])[l];
                             w.row<uint32_t>(i.at[0])[l] = uint32_t(v);
                             w.row<uint32_t>(i.at[1])[l] = uint32_t(v >> 32);
                           });
                         },
                         {{}, {}, {.wide = true}}};
  add_carries<kAdd, 2>(t, "add", "");
  add_carries<kSub, 2>(t, "sub", "");
  add_carries<kMadLow, 3>(t, "mad", ".lo");
  add_carries<kMadHigh, 3>(t, "mad", ".hi");
}

Operation operation(const std::string& name) {
  static const Table table = [] {
    Table t;
    add_arithmetic(t);
    add_floating_point(t);
    add_conversions(t);
    add_matrices(t);
    add_memory(t);
    return t;
  }();
  const auto found = table.find(name);
  return found == table.end() ? Operation{} : found->second;
}

}  // namespace ptx
