/// The script's text.
#include "cris/study/slurm.h"

#include <fmt/format.h>

#include "cris/run/shell_word.h"

namespace cris {

std::string slurm_script(const SlurmJob& job) {
  std::string command;
  for (const std::string& word : job.worker) command += (command.empty() ? "" : " ") + shell_word(word);
  return fmt::format(
      R"(#!/bin/bash
# The workers of a study, made by `cris study slurm`: submit with sbatch, as often as you like.
#SBATCH --job-name=cris-study
#SBATCH --array=1-{}
#SBATCH --ntasks=1
#SBATCH --cpus-per-task={}
{}#SBATCH --time={}
#SBATCH --signal=B:USR1@120
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --output="{}/slurm-%A_%a.log"
{} &
worker=$!
trap 'kill -USR1 $worker' USR1 TERM
# A signal ends `wait` too, while the worker still writes its checkpoint.
while wait $worker; code=$?; kill -0 $worker 2>/dev/null; do :; done
if [ $code -eq 85 ]; then scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"; fi
exit $code
)",
      job.tasks, job.cpus, job.gpu ? "#SBATCH --gres=gpu:1\n" : "", job.time, job.folder, command);
}

}  // namespace cris
