#!/usr/bin/env bash
# The paper's study: two data sets, three backbones, four strategies, each cell tuned; then its tables, claimed beside measured
# with their intervals, and one report with its figures. Killed and run again it goes on; run again when complete it prints the
# tables. It writes a plan and calls `cris study`, which does the same on many machines (docs/reference/study.md).
#   tools/reproduce_paper.sh --kvasir DIR --cvc DIR      each holds images/ and masks/; either may be left out
#   tools/reproduce_paper.sh --kvasir DIR --cvc DIR --quick      small and short: minutes, and no reproduction
# More, with defaults: -o OUT (reproduction), --size 256, --base N (each backbone's own width), --epochs 60, --seeds 0,1,2 (0),
# --trials 20, --trial-epochs 20, --lr R (this rate for all, no trials), --batch 4, --device cpu, --threads N (all),
# --workers N (1), --cvc-protocol random (the paper's) or sequences (whole video sequences)
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

kvasir="" cvc="" out=reproduction size=256 base=0 epochs=60 seeds=0 trials=20 trial_epochs=20 batch=4 lr="" device=cpu threads=0
workers=1 protocol=random
while [ $# -gt 0 ]; do
  case $1 in
    -h | --help) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --quick) size=64 base=4 epochs=4 trials=4 trial_epochs=2 threads=1 workers=$(nproc); shift; continue ;;
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
    --trials) trials=$2 ;;
    --trial-epochs) trial_epochs=$2 ;;
    --lr) lr=$2 trials=0 ;;
    --batch) batch=$2 ;;
    --device) device=$2 ;;
    --threads) threads=$2 ;;
    --workers) workers=$2 ;;
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

plan=$(mktemp --suffix .toml)
trap 'rm -f "$plan"' EXIT
data=()
{
  printf '[study]\ntrials = %s\ntrial_epochs = %s\nepochs = %s\nseeds = [%s]\n' "$trials" "$trial_epochs" "$epochs" "$seeds"
  printf '\n[settings]\ndata.size = %s\nmodel.base = %s\ntrain.batch = %s\nrun.device = "%s"\n' "$size" "$base" "$batch" "$device"
  [ -z "$lr" ] || printf 'train.learning_rate = %s\n' "$lr"
  [ -z "$kvasir" ] || printf '\n[sets.kvasir-seg]\n'
  [ -z "$cvc" ] || printf '\n[sets.cvc-clinicdb]\nsettings.data.protocol = "%s"\n' "$protocol"
} >"$plan"
[ -z "$kvasir" ] || data+=(--data "kvasir-seg=$kvasir")
[ -z "$cvc" ] || data+=(--data "cvc-clinicdb=$cvc")

# The first worker shows its progress, the others write theirs to a file.
mkdir -p "$out"
work=("$cris" study work "$plan" -o "$out" "${data[@]}" --threads "$threads")
others=()
for ((i = 2; i <= workers; ++i)); do
  "${work[@]}" >"$out/worker-$i.log" 2>&1 &
  others+=($!)
done
"${work[@]}"
for worker in "${others[@]}"; do wait "$worker"; done

runs=()
[ -z "$kvasir" ] || runs+=(--kvasir "$out"/runs/kvasir-seg-*)
[ -z "$cvc" ] || runs+=(--cvc "$out"/runs/cvc-clinicdb-*)
echo
"$cris" paper "${runs[@]}" -o "$out/report.html"
"$cris" study records "$out" -o "$out/records"
"$cris" study report "$out/records" -o "$out/study.html"
