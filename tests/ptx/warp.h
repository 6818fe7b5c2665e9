/// A warp of the executor: 32 lanes that run one instruction together, their registers and their places in the code.
///
/// A register is a row of 32 words of 32 or 64 bits, a word a lane; predicates are 0 or 1, and what is narrower than 32
/// bits lies in the low bits. Constants and special registers are rows as well, so an operand is always a row. Source
/// throughout tests/ptx: NVIDIA's "PTX ISA", named by section.
#pragma once
#include <cstdint>
#include <cstdlib>
#include <deque>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace ptx {

using Lanes = uint32_t;  ///< a bit a lane
constexpr int kLanes = 32;
constexpr Lanes kAll = ~Lanes(0);

/// The program broke a rule of PTX, or of this executor; what() says which.
class Violation : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct Warp;
struct Block;
struct Instruction;
using Handler = void (*)(Warp&, const Instruction&);
enum class Kind : uint8_t { plain, branch, exit, barrier };

struct Instruction {
  static constexpr int kOperands = 14;  // those of an mma
  Handler run = nullptr;
  Kind kind = Kind::plain;
  bool guard_negated = false;
  uint16_t wide = 0;           ///< bit i: operand i is a row of 64-bit words
  int guard = -1;              ///< row of the predicate that lanes take part by
  int target = -1;             ///< of a branch
  int32_t at[kOperands] = {};  ///< rows in the order written, vectors flattened
  int64_t immediate = 0;       ///< added to an address; the count of cp.async.wait_group
};

/// Copies from global to shared memory that were started and not yet waited for ("Data Movement: cp.async").
struct Copy {
  uint32_t to;
  uint64_t from;
  uint32_t bytes, read;  ///< read bytes come from memory, the rest are zeros
};

struct Warp {
  Block* block = nullptr;
  int number = 0;
  Lanes active = 0;  ///< lanes of the present instruction
  Lanes living = 0;  ///< lanes that have not exited
  uint32_t carry[kLanes] = {};
  std::vector<uint8_t> local;            ///< local memory, lane after lane
  std::deque<std::vector<Copy>> groups;  ///< committed copies, the oldest first
  std::vector<Copy> open;                ///< copies of the group that is not yet committed

  template <class Word>
  Word* row(int r) {
    return reinterpret_cast<Word*>(memory_.get() + int64_t(r) * kLanes);
  }
  void resize(int rows) { memory_.reset(static_cast<uint32_t*>(std::aligned_alloc(128, size_t(rows) * kLanes * 4))); }

  // ---- where the lanes are: groups at different places; the one at the lowest place runs ----
  struct Group {
    int place;
    Lanes lanes;
  };
  int place = 0;
  Lanes here = 0;                ///< the running group
  std::vector<Group> elsewhere;  ///< the others, the lowest place last
  void start(Lanes lanes);
  /// The running group splits: `lanes` of it go to `target`, the rest to the next instruction.
  void branch(Lanes lanes, int target);
  /// `lanes` of the running group end.
  void exit(Lanes lanes);
  /// After the place has moved: groups that meet become one, and the lowest runs.
  void settle();

 private:
  struct Free {
    void operator()(uint32_t* p) const { std::free(p); }
  };
  std::unique_ptr<uint32_t, Free> memory_;
};

}  // namespace ptx
