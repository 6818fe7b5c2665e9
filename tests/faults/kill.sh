#!/usr/bin/env bash
# Trainings killed at random moments, again and again until they get through, end with the bytes of undisturbed ones.
#   kill.sh PROGRAM [RUNS [SEED]]    RUNS trainings (20), of every strategy, backbone and number of threads in turn
# Minutes; run by hand.
source "$(dirname "$0")/../program/setting.bash"
runs=${2:-20} RANDOM=${3:-1}
"$cris" data synthesize data --count 16 --size 40 --seed 3 >/dev/null || exit 1
strategies=(backbone fcn crf cris) backbones=(unet segnet unet++) all=0
for ((r = 0; r < runs; ++r)); do
  command=("$cris" train --data data --base 4 --size 32 --batch 4 --epochs 3 --strategy "${strategies[r % 4]}" --backbone "${backbones[r / 4 % 3]}"
    --threads $((1 + r % 3)) --set "train.checkpoint_steps=$((r % 4))" --set crf.filter=exact -o run)
  rm -rf run once
  begin=$(date +%s%N)
  "${command[@]}" >/dev/null 2>&1 || { echo "FAILED ${command[*]}"; exit 1; }
  lasts=$((($(date +%s%N) - begin) / 1000000))
  mv run once
  pauses=
  for ((k = 0; k < 6; ++k)); do pauses+=$(printf ' 0.%03d' $((RANDOM % (lasts < 999 ? lasts : 999)))); done
  killed "$pauses" "${command[@]}"
  "${command[@]}" >/dev/null 2>stderr.txt || cat stderr.txt
  all=$((all + kills))
  diff -rq -x log.txt -x timing.jsonl once run
  verdict "${strategies[r % 4]}, ${backbones[r / 4 % 3]}, killed $kills times" $?
done
[ "$all" -gt 0 ]
verdict "$all kills in $runs trainings" $?
finish
