#!/usr/bin/env bash
# Fuzzes each target of this folder under AddressSanitizer and UBSan (clang; tools/setup.sh clang).
#   tests/fuzz/run.sh [SECONDS] [TARGET...]     120 seconds each by default
# Begins with the small files that the tests keep and a few lines of text; what it learns stays in build/fuzz/corpus/TARGET for the next time.
# Prints `ok TARGET` or `FAILED TARGET: FILE`, FILE being the input, which the program reads again: build/fuzz/.../fuzz_TARGET FILE
set -uo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-120}
[ $# -gt 0 ] && shift
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  for source in tests/fuzz/*.cpp; do targets+=("$(basename "$source" .cpp)"); done
fi

# A few inputs to begin with. Those of JSON are lines of this file.
seeds() {
  case $1 in
    picture | labels) cp tests/data/pictures/*.{png,jpg,bmp,tif} "$2" ;;
    split) printf '# random, seed 0, validation 0.15, test 0.15\n[training 2]\na\nb\n[validation 1]\nc\n[test 1]\nd\n' >"$2/seed" ;;
    config) sed -n 's/^| `\([^`]*\)` | `\([^`]*\)`.*/\1 = \2/p' docs/reference/configuration.md >"$2/seed" ;;
    plan) cp docs/study/*.toml "$2" ;;
    map) printf "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }" >"$2/seed" ;;
    checkpoint)
      find tests/vectors -size -3k -exec cp -t "$2" {} +
      printf '{"weight":{"dtype":"F32","shape":[2,3,1,1],"data_offsets":[18,42]},"mean":{"dtype":"F64","shape":[2],"data_offsets":[2,18]},"h":{"dtype":"BF16","shape":[1],"data_offsets":[0,2]},"batches":{"dtype":"I64","shape":[],"data_offsets":[42,50]}}\0%050d' 0 >"$2/seed"
      ;;
    journal)
      printf '%s\n' '{"op_code":0,"worker_id":"w","study_name":"s","directions":[2]}' '{"op_code":4,"worker_id":"w","study_id":0,"datetime_start":"2024-06-01T10:00:00.000000+00:00"}' \
        '{"op_code":5,"worker_id":"w","trial_id":0,"param_name":"x","param_value_internal":0.5,"distribution":"{\"name\": \"FloatDistribution\", \"attributes\": {\"step\": null, \"low\": 0.0, \"high\": 1.0, \"log\": false}}"}' \
        '{"op_code":7,"worker_id":"w","trial_id":0,"step":1,"intermediate_value":NaN}' '{"op_code":6,"worker_id":"w","trial_id":0,"state":1,"values":[0.25],"datetime_complete":"2024-06-01T10:00:01.000000+00:00"}' >"$2/seed"
      ;;
    json | run) grep -oE "[[{](\"|\\[).*" tests/fuzz/*.{cpp,sh} | cut -d: -f2- | split -l 1 - "$2/seed" ;;
  esac
}

cmake --preset fuzz >/dev/null && cmake --build --preset fuzz --target "${targets[@]/#/fuzz_}" >/dev/null || exit 1

failed=0
for target in "${targets[@]}"; do
  corpus=build/fuzz/corpus/$target found=build/fuzz/found/$target
  mkdir -p "$corpus" "$found"
  seeds "$target" "$corpus"
  # A limit of memory: hostile headers must not claim it. Of time: such a picture takes seconds under the sanitizers.
  if build/fuzz/tests/fuzz/fuzz_"$target" "$corpus" -max_total_time="$seconds" -timeout=120 \
    -rss_limit_mb=3000 -malloc_limit_mb=1100 -max_len=65536 -artifact_prefix="$found/" >"$found/log" 2>&1; then
    echo "ok fuzz $target: $(grep -c . < <(ls "$corpus")) inputs, $(sed -n 's/^Done \([0-9]*\) runs.*/\1/p' "$found/log") runs"
  else
    echo "FAILED fuzz $target: $(ls -t "$found"/*-* | head -n 1); $(grep -m 1 -E 'ERROR|runtime error|deadly' "$found/log")"
    failed=1
  fi
done
exit $failed
