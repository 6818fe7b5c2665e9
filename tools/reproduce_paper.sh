#!/usr/bin/env bash
# The paper's study: two data sets, three backbones, four strategies; then its tables, claimed beside measured, and one report
# with its figures. Killed and run again it goes on; run again when complete it prints the tables.
#   tools/reproduce_paper.sh --kvasir DIR --cvc DIR      each holds images/ and masks/; either may be left out
# More, with defaults: -o OUT (reproduction), --size 256, --base N (each backbone's own width), --epochs 60, --seeds 0,1,2 (0),
# --batch 4, --lr 1e-3, --device cpu, --threads N (all), --cvc-protocol random (the paper's) or sequences (whole video sequences)
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

kvasir="" cvc="" out=reproduction size=256 base="" epochs=60 seeds=0 batch=4 lr=1e-3 device=cpu threads="" protocol=random
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
  esac
  [ $# -ge 2 ] || { echo "reproduce_paper: $1 needs a value" >&2; exit 2; }
  case $1 in
    --kvasir | --cvc) [ -d "$2/images" ] && [ -d "$2/masks" ] || { echo "reproduce_paper: $2: must hold images/ and masks/" >&2; exit 3; } ;;&
    --kvasir) kvasir=$2 ;;
    --cvc) cvc=$2 ;;
    -o) out=$2 ;;
    --size) size=$2 ;;
    --base) base=$2 ;;
    --epochs) epochs=$2 ;;
    --seeds) seeds=$2 ;;
    --batch) batch=$2 ;;
    --lr) lr=$2 ;;
    --device) device=$2 ;;
    --threads) threads=$2 ;;
    --cvc-protocol) protocol=$2 ;;
    *) echo "reproduce_paper: $1 is unknown; see --help" >&2; exit 2 ;;
  esac
  shift 2
done
[ -n "$kvasir$cvc" ] || { echo "reproduce_paper: give --kvasir DIR, --cvc DIR or both" >&2; exit 2; }

if [ -n "${CRIS:-}" ]; then
  cris=$CRIS  # a program built elsewhere
else
  "$here/tools/setup.sh"
  (cd "$here" && cmake --preset release >/dev/null && cmake --build --preset release --target cris | tail -n 1)
  cris=$here/build/release/cris
fi

mkdir -p "$out"
out=$(cd "$out" && pwd)  # runs remember where their data lie
common=(--size "$size" --epochs "$epochs" --batch "$batch" --lr "$lr" --device "$device")
[ -z "$base" ] || common+=(--base "$base")
[ -z "$threads" ] || common+=(--threads "$threads")

# study SET DIR OPTION...: the cells of one data set, whose runs become the list `cells`. Pictures are shrunk once, into a folder
# that appears when it is complete.
study() {
  local set=$1 data=$2 small=$out/data-$size/$1 backbone strategy seed run
  shift 2
  cells=()
  if [ ! -d "$small" ]; then
    rm -rf "$small.unfinished"
    "$cris" data prepare "$data" -o "$small.unfinished" --size "$size"
    mv "$small.unfinished" "$small"
  fi
  for seed in ${seeds//,/ }; do
    for backbone in unet unet++ segnet; do
      for strategy in backbone fcn crf cris; do
        run=$out/$set/$backbone-$strategy-seed$seed
        "$cris" train --data "$small" "${common[@]}" --backbone "$backbone" --strategy "$strategy" --seed "$seed" "$@" -o "$run"
        cells+=("$run")
      done
    done
  done
}

runs=()
if [ -n "$kvasir" ]; then
  study kvasir-seg "$kvasir"
  runs+=(--kvasir "${cells[@]}")
fi
if [ -n "$cvc" ]; then
  study cvc-clinicdb "$cvc" --set data.protocol="$protocol"
  runs+=(--cvc "${cells[@]}")
fi
echo
"$cris" paper "${runs[@]}" -o "$out/report.html"
