/// A study as an array job of Slurm.
#pragma once
#include <string>
#include <vector>

namespace cris {

struct SlurmJob {
  std::vector<std::string> worker;  ///< the command line of one worker
  std::string folder;               ///< the study's, where the tasks' logs go
  int64_t tasks = 4, cpus = 4;
  bool gpu = false;               ///< one a task
  std::string time = "04:00:00";  ///< the limit of a task, as sbatch reads it
};

/// A script for sbatch. Two minutes before its limit a task is told to stop: the worker writes a checkpoint and ends
/// with 85, and the task is queued again. Tasks end when others hold all that is left.
std::string slurm_script(const SlurmJob& job);

}  // namespace cris
