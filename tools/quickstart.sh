#!/usr/bin/env bash
# From a bare machine to a report: installs what is missing, builds, makes a data set, trains a small U-Net with every strategy,
# prints their numbers and writes report.html. Run again it goes on where it stopped, or prints what is there.
#   tools/quickstart.sh                  the procedural colonoscopy set
#   tools/quickstart.sh --data DIR       real images: DIR holds images/ and masks/
# More: -o OUT (default quickstart/SET), --epochs N, --size N, --base N. CRIS=PROGRAM in the environment: that one, not built.
set -euo pipefail
here=$(cd "$(dirname "$0")/.." && pwd)

data="" out="" epochs="" size="" base=8
while [ $# -gt 0 ]; do
  case $1 in
    --data | -o | --epochs | --size | --base)
      [ $# -ge 2 ] || { echo "quickstart: $1 needs a value" >&2; exit 2; } ;;&
    --data) data=$(cd "$2" 2>/dev/null && pwd) || { echo "quickstart: $2: no such folder; it should hold images/ and masks/" >&2; exit 3; } ;;
    -o) out=$2 ;;
    --epochs) epochs=$2 ;;
    --size) size=$2 ;;
    --base) base=$2 ;;
    -h | --help) sed -n '2,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) echo "quickstart: $1 is unknown; see --help" >&2; exit 2 ;;
  esac
  shift 2
done

if [ -n "${CRIS:-}" ]; then
  cris=$CRIS
else
  "$here/tools/setup.sh"
  echo "building ..."
  (cd "$here" && cmake --preset release >/dev/null && cmake --build --preset release --target cris | tail -n 1)
  cris=$here/build/release/cris
fi

if [ -z "$data" ]; then
  out=${out:-quickstart/synthetic}
  data=$out/data
  [ -d "$data/masks" ] || "$cris" data synthesize "$data" --count 400 --size 96
  epochs=${epochs:-16} size=${size:-64}
else
  out=${out:-quickstart/$(basename "$data")}
  epochs=${epochs:-8} size=${size:-64}
fi
mkdir -p "$out"
"$cris" data check "$data"

runs=()
for strategy in backbone fcn crf cris; do
  run=$out/$strategy
  "$cris" train --data "$data" --backbone unet --base "$base" --size "$size" --strategy "$strategy" --epochs "$epochs" --lr 3e-3 -o "$run"
  runs+=("$run")
done

"$cris" report "${runs[@]}" -o "$out/report.html" --title "CRIS quickstart: four strategies on one U-Net" >/dev/null
echo
printf '%-10s %8s %8s %10s %8s\n' strategy Dice MSE precision recall
for run in "${runs[@]}"; do
  awk -v name="$(basename "$run")" '
    /"chosen_on_training_set"/ { chosen = 1 }
    chosen && /"(dice|mse|precision|recall)":/ { gsub(/[",:]/, " "); value[$1] = $2 }
    chosen && /}/ { printf "%-10s %8.4f %8.4f %10.4f %8.4f\n", name, value["dice"], value["mse"], value["precision"], value["recall"]; exit }
  ' "$run/evaluation.json"
done
echo
echo "report: $(cd "$out" && pwd)/report.html"
