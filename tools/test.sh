#!/usr/bin/env bash
# Installs, builds and runs every test. Closes with one line: N passed, N failed.
#   tools/test.sh [PRESET]     release (default), debug, asan, tsan or clang
#   tools/test.sh docs         instead: what docs/reference shows with code, applied to a copy, built and run
#   tools/test.sh ptx          instead: all CUDA tests on nvcc's own PTX (tests/ptx/run.sh)
#   tools/test.sh fuzz [SECONDS [TARGET...]]   instead: libFuzzer, 120 seconds a target (tests/fuzz/run.sh)
#   tools/test.sh faults       instead: file operations that fail, kills and power cuts (tests/faults), for an hour
# Once it is built, `ctest --preset PRESET` runs the same tests; `-L unit`, `-R convolutions` or `-LE slow` some of them.
# The CUDA backend runs on the emulator in every preset. With release it is also compiled and linked for real where there
# is a CUDA toolkit (nvcc in PATH or /usr/local/cuda), a kernel that spills registers stops that build, and the kernels'
# tests run on nvcc's PTX too.
set -uo pipefail
cd "$(dirname "$0")/.."
preset=${1:-release}

[[ $preset = clang || $preset = fuzz ]] && compiler=clang || compiler=
tools/setup.sh $compiler || exit 1
build() { cmake --preset "$1" >/dev/null && cmake --build --preset "$1" "${@:2}"; }
# instead COMMAND...: counts what it prints, and ends.
instead() {
  local output
  output=$("$@" | tee /dev/stderr)
  echo "$(grep -c '^ok ' <<<"$output") passed, $(grep -c '^FAILED ' <<<"$output") failed"
  grep -q '^ok ' <<<"$output" && ! grep -q '^FAILED ' <<<"$output"
  exit
}
each() { for script in "$1"/*.sh; do "$script" "${@:2}"; done; }
case $preset in
  docs) instead each tests/docs ;;
  fuzz) instead tests/fuzz/run.sh "${@:2}" ;;
  ptx)
    build release --target test_ptx || { echo "test: nvcc is needed for tests/ptx" >&2; exit 1; }
    instead tests/ptx/run.sh build/release/tests/test_ptx
    ;;
  faults)
    build release --target cris || exit 1
    instead each tests/faults build/release/cris
    ;;
esac
build "$preset" || exit 1
ctest --preset "$preset"
status=$?
log=build/$preset/Testing/Temporary/LastTest.log
[ -s "$log" ] || exit 1

# The program linked with the CUDA backend. Two generations stand for all, to save minutes; preset cuda builds every one.
real_cuda() {
  echo "== cuda"
  local nvcc output
  if ! nvcc=$(PATH=$PATH:/usr/local/cuda/bin command -v nvcc); then
    echo "not compiled, there is no nvcc here"
  elif output=$({ CUDACXX=$nvcc cmake --preset release -DCRIS_CUDA_PROGRAM=ON -DCRIS_CUDA_STRICT=ON -DCMAKE_CUDA_ARCHITECTURES="75-real;90-real" &&
    cmake --build --preset release --target cris_cuda; } 2>&1); then
    echo "ok the CUDA backend compiles and links, and no kernel spills registers"
  else
    tail -n 40 <<<"$output"
    echo "FAILED the CUDA backend does not compile and link"
  fi
}
cuda=""
[ "$preset" = release ] && cuda=$(real_cuda) && echo "$cuda"

# Counts doctest cases and the checks of scripts. A test that fails without a word (it died, or took too long) counts too.
read -r passed failed < <(awk '
  /^\[doctest\] test cases:/ { split($0, part, /[:|]/); passed += part[3]; failed += part[4] }
  /^ok / { ++passed }
  /^FAILED / { ++failed }
  END { print passed + 0, failed + 0 }' "$log" - <<<"$cuda")
tests=$([ "$status" -eq 0 ] && echo 0 || wc -l <"${log%.log}sFailed.log")
[ "$failed" -ge "$tests" ] || failed=$tests
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
