/// Fills the trace from the observer's events.
#include "autograd/trace.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace autograd {

Trace::Trace() : since_(Clock::now()) {
  before_ = set_observer([this](const Observed& seen) { watch(seen); });
}

Trace::~Trace() { set_observer(std::move(before_)); }

void Trace::watch(const Observed& seen) {
  tensor::backend(seen.result.device()).synchronize();
  const double ms = std::chrono::duration<double, std::milli>(Clock::now() - since_).count();
  if (before_) before_(seen);
  seen.gradient ? backward(seen, ms) : forward(seen, ms);
  since_ = Clock::now();
}

void Trace::forward(const Observed& seen, double ms) {
  // A leaf met in an earlier walk stays behind the ops.
  rows_.insert(rows_.begin() + int64_t(ops_),
               {seen.order, seen.op, seen.result.shape(), seen.result.bytes(), ms, 0, -1});
  ++ops_;
  walking_ = -1;
}

void Trace::backward(const Observed& seen, double ms) {
  if (walking_ >= 0) rows_[size_t(walking_)].backward_ms += ms;
  const auto found =
      std::find_if(rows_.rbegin(), rows_.rend(), [&](const TraceRow& row) { return row.order == seen.order; });
  if (found != rows_.rend()) {
    walking_ = rows_.rend() - found - 1;
  } else {
    rows_.push_back({seen.order, seen.op, seen.result.shape(), seen.result.bytes(), 0, 0, -1});
    walking_ = int64_t(rows_.size()) - 1;
  }
  const Tensor squares = tensor::zip(tensor::Multiply{}, seen.result, seen.result);
  rows_[size_t(walking_)].gradient_norm = std::sqrt(tensor::sum(squares).item());
}

std::string Trace::to_string() const {
  std::string text = fmt::format("{:>5}  {:<34} {:<22} {:>12} {:>10} {:>11} {:>12}\n", "#", "op", "shape", "bytes",
                                 "forward ms", "backward ms", "|gradient|");
  for (size_t i = 0; i < rows_.size(); ++i) {
    const TraceRow& row = rows_[i];
    text += fmt::format("{:>5}  {:<34} {:<22} {:>12} {:>10.3f} {:>11.3f} {:>12}\n", i, row.op,
                        fmt::format("{}", row.shape), row.bytes, row.forward_ms, row.backward_ms,
                        row.gradient_norm < 0 ? "-" : fmt::format("{:.4e}", row.gradient_norm));
  }
  return text;
}

}  // namespace autograd
