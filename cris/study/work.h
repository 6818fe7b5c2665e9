/// The work of a study, taken piece by piece by any number of workers that share one folder.
///
/// Pieces, in this order: the data sets shrunk; for each cell its trials, then a final run for each seed with the best
/// settings found. Who holds the lock of a folder works in it, so a killed worker leaves nothing that another could not
/// take over. One worker at a time tunes a cell: its trials come one after the other, so that the results of a study do
/// not depend on how many workers there are.
#pragma once
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "cris/run/progress.h"
#include "cris/study/plan.h"

namespace cris {

struct Worker {
  std::map<std::string, std::string> data = {};  ///< folder of each set; needed until DIR/data-SIZE/SET is there
  std::string device = {};                       ///< "": as the plan says
  int64_t threads = 0;                           ///< 0: as the plan says
  bool wait = true;                              ///< for others, as long as they hold what is left
  std::function<bool()> stop = [] { return false; };
};

struct WorkDone {
  enum End { complete, stopped, others_at_work } end = complete;
  std::vector<std::string> failed = {};  ///< a message for each cell or run that cannot be completed
};

/// Works on the study in the present directory: its paths are relative, so that a study does not depend on where its
/// folder lies. Throws ConfigError, data::FormatError and what training throws; a run whose values are not finite is
/// named in `failed` instead, and the work goes on.
WorkDone work_on_study(const Plan& plan, const Worker& worker, Progress& progress);

}  // namespace cris
