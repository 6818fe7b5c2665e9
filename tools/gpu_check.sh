#!/usr/bin/env bash
# Proves the CUDA backend on a machine with a GPU that has a CUDA toolkit, a C++20 compiler and CMake, and nothing else.
#   tools/gpu_check.sh pack HEADERS          where the packages are installed: copies the headers that the build needs
#   tools/gpu_check.sh run HEADERS RESULT [--minutes N] [--peer-python PYTHON --peer SCRIPT] [--parity DIR]
# `run` builds, runs test_cuda, the parity cases twice (same bits) and the benchmarks, against a PyTorch program (options of
# tools/bench/bench_peer.py, and --device, --precision, --channels-last, --compile) where one is given, then small trainings that
# are killed and resumed, compute-sanitizer on the small cases and the host's unit tests, and writes all of it to RESULT.
# What matters most comes first: with --minutes, what that time does not hold is cut short or skipped.
# It goes on after a failure; the last line is `N passed, N failed, N skipped`. CRIS_CUDA=EMULATED rehearses it without a GPU.
set -uo pipefail
cd "$(dirname "$0")/.."
usage() { sed -n '3,4s/^# *//p' "$0" >&2; exit 2; }

if [ "${1:-}" = pack ]; then
  [ $# -eq 2 ] || usage
  mkdir -p "$2"
  for name in fmt nlohmann CLI toml++ Random123 doctest stb; do
    cp -rL "/usr/include/$name" "$2/" || { echo "gpu_check: /usr/include/$name is missing; run tools/setup.sh" >&2; exit 1; }
  done
  du -sh "$2"
  exit 0
fi
[ "${1:-}" = run ] && [ $# -ge 3 ] || usage
headers=$(realpath "$2") result=$3
[ -d "$headers/fmt" ] || { echo "gpu_check: $2 holds no headers; tools/gpu_check.sh pack fills it" >&2; exit 2; }
shift 3
peer_python="" peer="" parity=tests/vectors minutes=1000
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=$2 ;;
    --peer-python) peer_python=$2 ;;
    --peer) peer=$2 ;;
    --parity) parity=$2 ;;
    *) usage ;;
  esac
  shift 2 || usage
done
[[ $minutes =~ ^[0-9]+$ ]] || usage
export PATH=$PATH:/usr/local/cuda/bin
build=build/gpu passed=0 failed=0 skipped=0
exec > >(tee "$result") 2>&1

# step NAME COMMAND...: runs it under a time limit, shows its end, counts it. COMMAND may be a function that is exported.
step() {
  local name=$1 start=$SECONDS log left=$((60 * minutes - SECONDS)) most=${limit:-600}
  shift
  if [ "$left" -lt 5 ]; then
    skip "$name: the time is up"
    return
  fi
  echo "== $name"
  log=$(mktemp)
  if timeout --kill-after=10 "$((left < most ? left : most))" bash -c '"$@"' step "$@" >"$log" 2>&1; then
    tail -n "${lines:-6}" "$log"
    echo "ok $name ($((SECONDS - start)) s)"
    passed=$((passed + 1))
  else
    local status=$?
    tail -n 60 "$log"
    if [ $status -ne 124 ] && [ $status -ne 137 ]; then
      echo "FAILED $name ($((SECONDS - start)) s)"
      failed=$((failed + 1))
    elif [ "$left" -lt "$most" ]; then
      skip "$name: cut short, the time is up"
    else
      echo "FAILED $name (not done after $most s)"
      failed=$((failed + 1))
    fi
  fi
  rm -f "$log"
}
finish() {
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
  exit
}
skip() {
  echo "skipped: $1"
  skipped=$((skipped + 1))
}

echo "commit $(git rev-parse --short=12 HEAD 2>/dev/null || echo unknown), $(date -u +%FT%TZ)"
nvidia-smi --query-gpu=name,driver_version,memory.total,compute_cap,clocks.max.sm --format=csv || echo "no nvidia-smi"
nvcc --version | tail -n 2
g++ --version | head -n 1

configure() {
  cmake -S . -B $build -DCMAKE_BUILD_TYPE=Release -DCRIS_CUDA="${CRIS_CUDA:-ON}" -DCMAKE_CUDA_ARCHITECTURES=native \
    -DCRIS_BARE="$headers"
}
same_bits() {
  for precision in f32 tf32 bf16; do
    $build/cris parity "$parity" --device cuda --dtype f32 --precision $precision --write $build/twice-$precision &&
      diff -rq $build/once-$precision $build/twice-$precision || return 1
  done
}
works_on_device() { $build/cris doctor && $build/cris doctor | grep -q "^cuda *works"; }
export -f configure same_bits works_on_device
export build headers parity

lines=2 step configure configure
limit=1500 lines=2 step build cmake --build $build -j "$(nproc)" --target cris test_cuda
lines=30 step doctor works_on_device
[ "$passed" -eq 3 ] || finish  # nothing below can work
lines=3 step test_cuda $build/tests/test_cuda --no-colors
for precision in exact f32 tf32 bf16; do
  lines=1 step "parity $precision" \
    $build/cris parity "$parity" --device cuda --dtype f32 --precision $precision --write $build/once-$precision
done
step "the same bits twice" same_bits

bench=(--backbone unet --base 64 --size 256 --batch 4 --steps 20 --warmup 5)
for mode in train infer; do
  for precision in f32 tf32 bf16; do
    lines=1 step "bench $mode $precision" $build/cris bench $mode --device cuda --precision $precision "${bench[@]}" --json
  done
  if [ -n "$peer" ]; then
    for options in "" "--precision tf32 --channels-last" "--precision bf16 --channels-last" \
      "--precision tf32 --channels-last --compile" "--precision bf16 --channels-last --compile"; do
      # shellcheck disable=SC2086
      lines=1 step "peer $mode $options" "$peer_python" "$peer" bench --model "${bench[@]:1}" --mode $mode \
        --threads "$(nproc)" --device cuda $options
    done
  fi
done
[ -n "$peer" ] || echo "no peer was given"
# Small enough that launches may take longer than kernels: what replay saves.
for replay in true false; do
  lines=1 step "bench train bf16, base 16, run.replay $replay" $build/cris bench train --device cuda --precision bf16 \
    --set run.replay=$replay --backbone unet --base 16 --size 128 --batch 4 --steps 20 --warmup 5 --json
done
lines=120 step "bench convolutions" $build/cris bench convolutions --device cuda --base 64 --size 256 --batch 4
lines=80 step "bench ops" $build/cris bench --device cuda

for replay in true false; do
  limit=1200 lines=30 step "trainings: killed, resumed, the same bytes; run.replay $replay" \
    tests/program/repeat.sh $build/cris --device cuda --set run.replay=$replay
done
if command -v compute-sanitizer >/dev/null; then
  for tool in memcheck racecheck synccheck initcheck; do
    limit=900 lines=3 step "compute-sanitizer $tool" compute-sanitizer --tool $tool --error-exitcode 1 \
      $build/tests/test_cuda --source-file='*cuda/kernels.cpp'
  done
else
  skip "no compute-sanitizer here"
fi
limit=1500 lines=2 step "build the other tests" cmake --build $build -j "$(nproc)"
for layer in tensor autograd nn; do lines=3 step "test_$layer" $build/tests/test_$layer --no-colors; done
finish
