#!/usr/bin/env bash
# All CUDA tests on nvcc's own PTX, and what was counted. Prints `ok NAME` or `FAILED NAME`.
#   tests/ptx/run.sh TEST_PTX [OUTPUT]     OUTPUT: a folder for the counts by kernel
set -uo pipefail
test_ptx=$(realpath "$1") folder=${2:-$(mktemp -d)}
mkdir -p "$folder"

# run NAME ARGUMENTS...: the cases that the arguments choose.
run() {
  local name=$1 start=$SECONDS
  shift
  if CRIS_PTX_REPORT="$folder/$name.txt" "$test_ptx" --no-colors "$@" >"$folder/$name.log" 2>&1; then
    echo "ok $name ($((SECONDS - start)) s): $(head -n 1 "$folder/$name.txt")"
  else
    tail -n 60 "$folder/$name.log"
    echo "FAILED $name"
  fi
}
run instructions-and-mutations --source-file='*ptx/cases*'
run kernels --source-file='*kernels.cpp'
run networks --source-file='*networks.cpp'
run replay --source-file='*replay.cpp'
# Each tensor an allocation of its own, with nothing around it: reads past its end are seen even where another would lie.
CRIS_CUDA_SEPARATE=1 run kernels-apart --source-file='*kernels.cpp'
# Before tensor cores.
CRIS_PTX_CAPABILITY=7.5 run kernels-before-8.0 --source-file='*kernels.cpp'
echo "counts by kernel: $folder"
