/// What an instruction does, by its name, and the loops over lanes that most are made of.
#pragma once
#include <bit>
#include <cstring>
#include <functional>
#include <map>
#include <type_traits>
#include <utility>

#include "tests/ptx/warp.h"

namespace ptx {

/// An operand as the reader of PTX text needs it, to give a constant its row.
struct OperandType {
  bool wide = false;  ///< 64 bits
  bool predicate = false;
};
struct Operation {
  Handler run = nullptr;
  std::vector<OperandType> operands;  ///< the result first; empty: any rows
};

/// The operation of an instruction's name, such as "add.s32"; none has run == null.
Operation operation(const std::string& name);

using Table = std::map<std::string, Operation>;
void add_arithmetic(Table& table);
void add_floating_point(Table& table);
void add_conversions(Table& table);
void add_matrices(Table& table);
/// ld, st and cp.async in all their forms.
void add_memory(Table& table);

/// The words of a row that a T lies in.
template <class T>
using Word = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;
template <class T>
T from_word(Word<T> w) {
  if constexpr (std::is_same_v<T, bool>)
    return w != 0;
  else if constexpr (sizeof(T) < 4)
    return T(w);
  else
    return std::bit_cast<T>(w);
}
template <class T>
Word<T> to_word(T v) {
  if constexpr (std::is_same_v<T, bool>)
    return v;
  else if constexpr (sizeof(T) < 4)
    return uint32_t(std::make_unsigned_t<T>(v));
  else
    return std::bit_cast<Word<T>>(v);
}

/// Calls f(lane) for every active lane; a plain loop where all are.
template <class F>
void for_lanes(const Warp& w, F f) {
  if (w.active == kAll) {
#pragma GCC ivdep
    for (int l = 0; l < kLanes; ++l) f(l);
  } else {
    for (int l = 0; l < kLanes; ++l)
      if (w.active >> l & 1) f(l);
  }
}

template <auto kF, class R, class... A, size_t... I>
void apply(Warp& w, const Instruction& i, R (*)(A...), std::index_sequence<I...>) {
  Word<R>* const to = w.row<Word<R>>(i.at[0]);
  const std::tuple<Word<A>*...> from{w.row<Word<A>>(i.at[I + 1])...};
  for_lanes(w, [=](int l) { to[l] = to_word<R>(kF(from_word<A>(std::get<I>(from)[l])...)); });
}
template <auto kF, class R, class... A>
Operation make_operation(R (*)(A...)) {
  return {[](Warp& w, const Instruction& i) {
            apply<kF>(w, i, static_cast<R (*)(A...)>(nullptr), std::index_sequence_for<A...>());
          },
          {{sizeof(R) == 8, std::is_same_v<R, bool>}, {sizeof(A) == 8, std::is_same_v<A, bool>}...}};
}
/// The operation that computes kF in every lane, a lambda that captures nothing: its types are those of the operands.
template <auto kF>
Operation lanes() {
  return make_operation<kF>(+kF);
}

}  // namespace ptx
