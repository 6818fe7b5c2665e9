#!/usr/bin/env bash
# Proves the CUDA backend on a machine with a GPU, which may be at hand for minutes only and have a driver and nothing else.
#   tools/gpu_check.sh build FOLDER [CAPABILITY]   here: builds for that GPU (90 by default) what is then carried there
#   tools/gpu_check.sh rehearse FOLDER             here: the same of the PTX executor, which needs no GPU (tests/ptx)
#   tools/gpu_check.sh run FOLDER RESULT [--minutes N] [--peer-python PYTHON --peer SCRIPT]
# `run`, in a checkout with that FOLDER: doctor, test_cuda, parity in every precision, the same bits twice, step times with and
# without replay beside a PyTorch program (options of tools/bench/bench_peer.py, and --device, --precision, --channels-last,
# --compile), the profiler's counters for two convolutions, then every op, trainings that are killed and resumed, and
# compute-sanitizer. All of it is written to RESULT. What matters most comes first, for a GPU that is at hand for 13 minutes: what
# --minutes does not hold is cut short or skipped. It goes on after a failure; the last line is `N passed, N failed, N skipped`.
set -uo pipefail
cd "$(dirname "$0")/.."
usage() { sed -n '3,5s/^# *//p' "$0" >&2; exit 2; }

# gather FOLDER CRIS TEST_CUDA: what `run` needs beside the checkout.
gather() {
  mkdir -p "$1" && cp "$2" "$1/cris" && cp "$3" "$1/test_cuda" && strip "$1/cris" "$1/test_cuda" && du -sh "$1"
}
case ${1:-} in
  build)
    [ $# -ge 2 ] || usage
    headers=build/gpu/headers
    mkdir -p $headers
    for name in fmt nlohmann CLI toml++ Random123 doctest stb; do
      cp -rL "/usr/include/$name" $headers/ || { echo "gpu_check: /usr/include/$name is missing; run tools/setup.sh" >&2; exit 1; }
    done
    # Nothing but the C library and the driver is looked for there; cuBLAS when a matrix product asks for it.
    PATH=$PATH:/usr/local/cuda/bin cmake -S . -B build/gpu -DCMAKE_BUILD_TYPE=Release -DCRIS_CUDA=ON -DCRIS_NATIVE=OFF \
      -DCMAKE_CUDA_ARCHITECTURES="${3:-90}" -DCRIS_BARE="$PWD/$headers" \
      -DCMAKE_EXE_LINKER_FLAGS="-static-libstdc++ -static-libgcc" &&
      cmake --build build/gpu --target cris test_cuda && gather "$2" build/gpu/cris build/gpu/tests/test_cuda
    exit
    ;;
  rehearse)
    [ $# -eq 2 ] || usage
    cmake --preset release && cmake --build --preset release --target cris_ptx test_ptx &&
      gather "$2" build/release/cris_ptx build/release/tests/test_ptx && touch "$2/rehearsal"
    exit
    ;;
esac
[ "${1:-}" = run ] && [ $# -ge 3 ] || usage
folder=$(realpath "$2") result=$3
[ -x "$folder/cris" ] || { echo "gpu_check: $2 holds no program; tools/gpu_check.sh build fills it" >&2; exit 2; }
shift 3
peer_python="" peer="" minutes=13
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || usage
  case $1 in
    --minutes) minutes=$2 ;;
    --peer-python) peer_python=$2 ;;
    --peer) peer=$2 ;;
    *) usage ;;
  esac
  shift 2
done
[[ $minutes =~ ^[0-9]+$ ]] || usage
export PATH=$PATH:/usr/local/cuda/bin:/opt/nvidia/nsight-compute
cris=$folder/cris test_cuda=$folder/test_cuda work=$(mktemp -d) passed=0 failed=0 skipped=0
# In a rehearsal whole networks are launched, not run: the executor would take hours.
counted=() small=()
[ -e "$folder/rehearsal" ] && counted=(env CRIS_PTX_RUN=0) small=(--test-case='*pooling*,*updates*,*replayed*')
exec 3>&1 > >(tee "$result") 2>&1
told=$!
trap 'rm -rf "$work"; exec >&3 2>&3; wait $told' EXIT  # the last lines are written before it ends

# step NAME COMMAND...: runs it under a time limit, shows its end, counts it. COMMAND may be a function that is exported.
step() {
  local name=$1 start=$SECONDS log left=$((60 * minutes - SECONDS)) most=${limit:-600}
  shift
  if [ "$left" -lt 5 ]; then
    skip "$name: the time is up"
    return
  fi
  echo "== $name"
  log=$work/log
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

works_on_device() { "$cris" doctor && "$cris" doctor | grep -q "^cuda *works"; }
parity() { "$cris" parity tests/vectors --device cuda --dtype f32 --precision "$1" --write "$work/$2-$1"; }
same_bits() {
  for precision in f32 tf32 bf16; do
    parity $precision twice && diff -rq "$work/once-$precision" "$work/twice-$precision" || return 1
  done
}
profiled() { set -o pipefail; "$@" | tee "$work/counters" && ! grep -q "No kernels were profiled" "$work/counters"; }
export -f works_on_device parity same_bits profiled
export cris work

limit=60 lines=30 step doctor works_on_device
[ "$passed" -eq 1 ] || finish  # nothing below can work
limit=180 lines=3 step test_cuda "$test_cuda" --no-colors "${small[@]}"
for precision in bf16 f32 tf32 exact; do limit=60 lines=1 step "parity $precision" parity $precision once; done
limit=90 lines=1 step "the same bits twice" same_bits

shape=(--backbone unet --base 64 --size 256 --batch 4 --steps 20 --warmup 5)
bench() { limit=60 lines=1 step "$1" "${counted[@]}" "$cris" bench "${@:2}" --device cuda --json; }
for precision in bf16 tf32 f32; do
  for replay in true false; do
    bench "bench train $precision, run.replay $replay" train --precision $precision --set run.replay=$replay "${shape[@]}"
  done
  [ -z "$peer" ] && continue
  for compile in "" --compile; do
    limit=90 lines=1 step "peer train $precision $compile" "$peer_python" "$peer" bench --model "${shape[@]:1}" --mode train \
      --threads "$(nproc)" --device cuda --precision $precision --channels-last $compile
  done
done
[ -n "$peer" ] || echo "no peer was given"
bench "bench infer bf16" infer --precision bf16 "${shape[@]}"

# Of a step: convolutions of 64 filters, the first layer's second, and of 128, and a weight's gradient.
if command -v ncu >/dev/null; then
  for kernel in 'conv3x3_kernelILi[0-9]+ELi64E' 'conv3x3_kernelILi[0-9]+ELi128E' conv3x3_grad_weight_kernel; do
    limit=60 lines=40 step "counters of $kernel" profiled ncu --clock-control none --kernel-name-base mangled \
      --kernel-name "regex:$kernel" --launch-count 1 --section SpeedOfLight \
      --section ComputeWorkloadAnalysis --section MemoryWorkloadAnalysis --section Occupancy --section WarpStateStats \
      "$cris" bench train --device cuda --precision bf16 --set run.replay=false "${shape[@]:0:8}" --steps 1 --warmup 0
  done
else
  skip "no ncu here"
fi
limit=180 lines=120 step "bench convolutions" "${counted[@]}" "$cris" bench convolutions --device cuda --base 64 --size 256 --batch 4
limit=120 lines=80 step "bench ops" "${counted[@]}" "$cris" bench --device cuda
# Small enough that launches may take longer than kernels: what replay saves.
for replay in true false; do
  bench "bench train bf16, base 16, run.replay $replay" train --precision bf16 --set run.replay=$replay --backbone unet \
    --base 16 --size 128 --batch 4 --steps 20 --warmup 5
done

if command -v compute-sanitizer >/dev/null; then
  # Each tensor an allocation of its own: an arena would hide where they end.
  export CRIS_CUDA_SEPARATE=1
  for tool in memcheck racecheck synccheck initcheck; do
    limit=300 lines=3 step "compute-sanitizer $tool" compute-sanitizer --tool $tool --error-exitcode 1 \
      "$test_cuda" --source-file='*cuda/kernels.cpp'
  done
  unset CRIS_CUDA_SEPARATE
else
  skip "no compute-sanitizer here"
fi
for replay in true false; do
  limit=600 lines=30 step "trainings: killed, resumed, the same bytes; run.replay $replay" \
    tests/program/repeat.sh "$cris" --device cuda --set run.replay=$replay
done
finish
