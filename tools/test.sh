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

passed=0 failed=0
# One doctest program per layer. A program that dies without its summary counts as one failure.
for program in build/"$preset"/tests/test_*; do
  [ -f "$program" ] && [ -x "$program" ] || continue
  echo "== $(basename "$program")"
  output=$("$program" --no-colors 2>&1)
  status=$?
  counts=$(sed -nE 's/^\[doctest\] test cases: +[0-9]+ \| +([0-9]+) passed \| +([0-9]+) failed.*/\1 \2/p' <<<"$output")
  if [ -z "$counts" ]; then
    echo "$output" | tail -n 40
    echo "$(basename "$program") ended with status $status and no summary"
    failed=$((failed + 1))
    continue
  fi
  read -r ok bad <<<"$counts"
  if [ "$status" -ne 0 ]; then
    echo "$output" | tail -n 80
    [ "$bad" -eq 0 ] && bad=1  # died after the summary: a sanitizer's report, say
  fi
  passed=$((passed + ok)) failed=$((failed + bad))
done
# Scripts that use the program as a person does. Each prints `ok NAME` or `FAILED NAME` a check.
for script in tests/program/*.sh; do
  [ -e "$script" ] || continue
  echo "== $(basename "$script")"
  output=$("$script" "build/$preset/cris" 2>&1)
  status=$?
  echo "$output"
  ok=$(grep -c '^ok ' <<<"$output") bad=$(grep -c '^FAILED ' <<<"$output")
  [ "$status" -ne 0 ] && [ "$bad" -eq 0 ] && bad=1
  passed=$((passed + ok)) failed=$((failed + bad))
done

if [ "$preset" = release ]; then
  nvcc=$(PATH=$PATH:/usr/local/cuda/bin command -v nvcc)
  if [ -z "$nvcc" ]; then
    echo "== cuda: not compiled, there is no nvcc here"
  else
    echo "== cuda"
    # Two generations stand for all, to save minutes; the preset itself builds every one.
    if output=$({ CUDACXX=$nvcc cmake --preset cuda -DCRIS_TESTS=OFF -DCMAKE_CUDA_ARCHITECTURES="75-real;90-real" && cmake --build --preset cuda; } 2>&1); then
      echo "ok the CUDA backend compiles and links, and no kernel spills registers"
      passed=$((passed + 1))
    else
      tail -n 40 <<<"$output"
      echo "FAILED the CUDA backend does not compile and link"
      failed=$((failed + 1))
    fi
  fi
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
