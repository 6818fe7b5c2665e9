#!/usr/bin/env bash
# Installs, builds and runs every test. Closes with one line: N passed, N failed.
#   tools/test.sh [PRESET]     release (default), debug or asan
# The CUDA backend runs on the emulator in every preset. With release it is also compiled and linked for real where there
# is a CUDA toolkit (nvcc in PATH or /usr/local/cuda); a kernel that spills registers stops that build.
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}

tools/setup.sh || exit 1
cmake --preset "$preset" >/dev/null && cmake --build --preset "$preset" || exit 1

# Each of the following writes its report to stdout and `PASSED FAILED` to fd 3.

# A doctest program, one a layer. One that dies without its summary counts as one failure.
doctest_program() {
  echo "== $(basename "$1")"
  local output status counts ok bad
  output=$("$1" --no-colors 2>&1)
  status=$?
  counts=$(sed -nE 's/^\[doctest\] test cases: +[0-9]+ \| +([0-9]+) passed \| +([0-9]+) failed.*/\1 \2/p' <<<"$output")
  if [ -z "$counts" ]; then
    echo "$output" | tail -n 40
    echo "$(basename "$1") ended with status $status and no summary"
    echo 0 1 >&3
    return
  fi
  read -r ok bad <<<"$counts"
  if [ "$status" -ne 0 ]; then
    echo "$output" | tail -n 80
    [ "$bad" -eq 0 ] && bad=1  # died after the summary: a sanitizer's report, say
  fi
  echo "$ok $bad" >&3
}

# A script that uses the program as a person does. It prints `ok NAME` or `FAILED NAME` a check.
program_script() {
  echo "== $(basename "$1")"
  local output status ok bad
  output=$("$1" "build/$preset/cris" 2>&1)
  status=$?
  echo "$output"
  ok=$(grep -c '^ok ' <<<"$output") bad=$(grep -c '^FAILED ' <<<"$output")
  [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
  echo "$ok $bad" >&3
}

# The program linked with the CUDA backend. Two generations stand for all, to save minutes; preset cuda builds every one.
real_cuda() {
  echo "== cuda"
  local nvcc output
  if ! nvcc=$(PATH=$PATH:/usr/local/cuda/bin command -v nvcc); then
    echo "not compiled, there is no nvcc here"
  elif output=$({ CUDACXX=$nvcc cmake --preset release -DCRIS_CUDA_PROGRAM=ON -DCMAKE_CUDA_ARCHITECTURES="75-real;90-real" &&
    cmake --build --preset release --target cris_cuda; } 2>&1); then
    echo "ok the CUDA backend compiles and links, and no kernel spills registers"
    echo 1 0 >&3
  else
    tail -n 40 <<<"$output"
    echo "FAILED the CUDA backend does not compile and link"
    echo 0 1 >&3
  fi
}

reports=$(mktemp -d)
trap 'rm -rf "$reports"' EXIT
# Runs one beside at most one other: most of them keep one core busy. Its report appears in one piece when it ends.
start() {
  while [ "$(jobs -rp | wc -l)" -ge 2 ]; do wait -n; done
  {
    "$@" >"$reports/$BASHPID" 3>>"$reports/counts"
    flock 9
    cat "$reports/$BASHPID"
  } 9>"$reports/lock" &
}

for program in build/"$preset"/tests/test_*; do
  [ -f "$program" ] && [ -x "$program" ] && start doctest_program "$program"
done
for script in tests/program/*.sh; do
  start program_script "$script"
done
wait
[ "$preset" = release ] && start real_cuda
wait

read -r passed failed < <(awk '{ passed += $1; failed += $2 } END { print passed + 0, failed + 0 }' "$reports/counts")
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
