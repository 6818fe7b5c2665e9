/// What a run records, computed again: its measures from its weights, its training from its seed.
#pragma once
#include <functional>
#include <string>

#include "cris/run/experiment.h"

namespace cris {

/// Told of each file of the run that was computed again, and where it differs: "" when it does not.
using Verdict = std::function<void(const std::string& file, const std::string& difference)>;

/// "" when this program computes the bits that the run's computed: its manifest names this compiler, these flags and
/// this processor, and no GPU took part, which a manifest does not name. Else why not: numbers are then compared with a
/// tolerance of 1e-3 (see first_difference). Throws Error when manifest.json is damaged.
std::string other_arithmetic(const std::string& run, const Config& config);

/// Throws data::FormatError where no temporary folder can be made (TMPDIR).
void require_scratch_folder();

/// Evaluates checkpoints/best on the test part anew, in a folder of its own, choosing the threshold on the training
/// set, and compares every file that an evaluation writes. Returns a line for people: what was compared.
std::string recompute_measures(const std::string& run, const Config& config, const ExperimentData& data,
                               const Verdict& verdict);

/// Trains the first `steps` steps from the initial weights anew, in a folder of its own, and compares each line of
/// metrics.jsonl, up to the first that differs. Where that takes the training to its end, epochs.csv and the
/// checkpoints' tensors are compared too. With other_arithmetic at most 8 steps. Returns a line for people.
std::string replay_steps(const std::string& run, const Config& config, const ExperimentData& data, int64_t steps,
                         const Verdict& verdict);

}  // namespace cris
