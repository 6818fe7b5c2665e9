/// What a study will take, before it begins.
#pragma once
#include <string>
#include <vector>

#include "cris/run/progress.h"
#include "cris/study/plan.h"

namespace cris {

struct CellTime {
  double trial = 0, final_run = 0;  ///< seconds of one; a trial that is not pruned
};

/// Measures steps of each network on drawn pictures, on the device and threads that `use` says; the rest is counting.
/// Sets whose number of images the plan does not say count as 1000. One line of progress a network.
std::vector<CellTime> estimate_times(const Plan& plan, const std::string& device, int64_t threads, Progress& progress);

/// The cells with their pieces of work and, unless `times` is empty, their hours.
std::string plan_text(const Plan& plan, const std::vector<CellTime>& times);

}  // namespace cris
