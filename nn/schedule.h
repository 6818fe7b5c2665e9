/// Learning rates as pure functions of the step, so that a resumed run needs no state.
#pragma once
#include <cmath>
#include <cstdint>

#include "tensor/check.h"
#include "tensor/names.h"

namespace nn {

enum class ScheduleKind { constant, step, cosine };
constexpr auto names(ScheduleKind) { return tensor::Names{"schedule", {"constant", "step", "cosine"}}; }

struct Schedule {
  ScheduleKind kind = ScheduleKind::constant;
  double learning_rate = 1e-3;  ///< at step 0
  int64_t period = 1;           ///< step: steps between two decays; cosine: steps until the end
  double factor = 0.1;          ///< step: what each decay multiplies by; cosine: last rate / first rate
};

/// constant: r. step: r factor^floor(t / period). cosine: from r down to factor r along half a cosine, then factor r.
/// t: step, from 0; r: learning_rate.  Source of cosine: Loshchilov & Hutter 2017.
inline double learning_rate(const Schedule& s, int64_t t) {
  tensor::check(t >= 0 && s.period > 0, "learning_rate: step {} of a period of {}; the period must be at least 1", t,
                s.period);
  switch (s.kind) {
    case ScheduleKind::constant:
      return s.learning_rate;
    case ScheduleKind::step:
      return s.learning_rate * std::pow(s.factor, double(t / s.period));
    case ScheduleKind::cosine: {
      const double done = t < s.period ? double(t) / double(s.period) : 1.0;
      return s.learning_rate * (s.factor + (1 - s.factor) * 0.5 * (1 + std::cos(3.14159265358979323846 * done)));
    }
  }
  return s.learning_rate;
}

}  // namespace nn
