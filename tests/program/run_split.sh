#!/usr/bin/env bash
# A run is evaluated on the split that it was trained with, whatever has become of the file that named it.
#   run_split.sh PROGRAM
source "$(dirname "$0")/setting.bash"
"$cris" data synthesize data --count 24 --size 40 --seed 3 >/dev/null || { echo "FAILED synthesize"; exit 1; }
training=(train --data data --base 4 --size 32 --strategy backbone --epochs 1 --threads 1)

"$cris" data split data -o split.txt --seed 1 >/dev/null
"$cris" "${training[@]}" --set data.split=split.txt -o run >/dev/null
verdict "a training with a split file" $?
"$cris" eval run --json >before.json
"$cris" data split data -o split.txt --seed 2 >/dev/null
"$cris" eval run --json >changed.json && cmp -s before.json changed.json
verdict "another split in that file: the same evaluation" $?
rm split.txt
"$cris" eval run --json >gone.json && cmp -s before.json gone.json
verdict "no such file any more: the same evaluation" $?

"$cris" "${training[@]}" --overfit 4 --epochs 40 -o few >/dev/null 2>&1 &
child=$!
for _ in $(seq 100); do [ -s few/metrics.jsonl ] && break; sleep 0.1; done
kill -TERM "$child"
wait "$child"
[ $? -eq 85 ] && "$cris" "${training[@]}" --overfit 4 --epochs 40 -o few >/dev/null && "$cris" eval few --json | grep -q '"images":4'
verdict "a run on a handful of images goes on, and is evaluated on them" $?

"$cris" "${training[@]}" --strategy fcn --init run --freeze backbone -o second >train.txt 2>&1 && grep -q 'as drawn: refiner.expand.weight' train.txt && grep -q '"sha256"' second/manifest.json
verdict "--init and --freeze: a second piece behind the first" $?
refuses "a run that is not there" 2 'train.start_from' "$cris" "${training[@]}" --init nowhere -o third
finish
