/// Learning rates as pure functions of the step, so that a resumed run needs no state.
#pragma once
#include <cmath>
#include <cstdint>
#include <numbers>

#include "tensor/check.h"
#include "tensor/names.h"

namespace nn {

enum class ScheduleKind { constant, step, cosine };
constexpr auto names(ScheduleKind) { return tensor::Names{"schedule", {"constant", "step", "cosine"}}; }

/// Times are counted in steps here; a caller may keep `period` and `warmup` in epochs and multiply.
struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double learning_rate = 1e-3;  ///< before any decay
  int64_t period = 0;           ///< step: between two decays; cosine: until the end; at least 1 for both
  double factor = 0.1;          ///< step: what each decay multiplies by; cosine: last rate / first rate
  int64_t warmup = 0;           ///< the rate first rises to its value in this many equal parts
};

/// constant: r. step: r factor^floor(t / period). cosine: from r down to factor r along half a cosine, then factor r.
/// Times (t + 1) / warmup while t < warmup. t: step, from 0; r: learning_rate.
/// Sources: Loshchilov & Hutter 2017 (cosine), Goyal et al. 2017 (warm-up).
inline double learning_rate(const Schedule& s, int64_t t) {
  tensor::check(t >= 0 && (s.period > 0 || s.kind == ScheduleKind::constant),
                "learning_rate: step {} of a period of {}; the period must be at least 1", t, s.period);
  double rate = s.learning_rate;
  if (s.kind == ScheduleKind::step) rate *= std::pow(s.factor, double(t / s.period));
  if (s.kind == ScheduleKind::cosine) {
    const double done = t < s.period ? double(t) / double(s.period) : 1.0;
    rate *= s.factor + (1 - s.factor) * 0.5 * (1 + std::cos(std::numbers::pi * done));
  }
  return t < s.warmup ? rate * double(t + 1) / double(s.warmup) : rate;
}

}  // namespace nn
