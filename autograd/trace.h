/// The recorded graph as a table: what each op made, how large, how long it took, and how large its gradient was.
#pragma once
#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include "autograd/variable.h"

namespace autograd {

struct TraceRow {
  uint64_t order = 0;  ///< the node's, ascending
  std::string op;      ///< "leaf" for a parameter that was reached
  tensor::Shape shape;
  int64_t bytes = 0;
  double forward_ms = 0, backward_ms = 0;  ///< since the op before; includes what was done outside ops
  double gradient_norm = -1;               ///< sqrt of the sum of dL/dy squared; -1 when no gradient arrived
};

/// Watches this thread's ops and gradients from construction to destruction, then restores the observer before it.
class Trace {
 public:
  Trace();
  ~Trace();
  Trace(const Trace&) = delete;
  Trace& operator=(const Trace&) = delete;
  /// One row an op, in forward order, then one for each leaf that received a gradient.
  const std::vector<TraceRow>& rows() const { return rows_; }
  /// The rows as aligned text with a heading.
  std::string to_string() const;

 private:
  using Clock = std::chrono::steady_clock;
  std::vector<TraceRow> rows_;
  Observer before_;
  Clock::time_point since_;
  int64_t walking_ = -1;  // row whose formulas run now
  size_t ops_ = 0;        // rows before the leaves
  void watch(const Observed& seen);
  void forward(const Observed& seen, double ms);
  void backward(const Observed& seen, double ms);
};

}  // namespace autograd
