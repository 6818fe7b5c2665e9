#!/usr/bin/env bash
# Standard streams that are closed, full or lose their reader, and the signals of a session that ends: no file of a run
# changes by them.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize data --count 12 --size 40 --seed 3 >/dev/null || { echo "FAILED synthesize"; exit 1; }
train() { "$cris" train --data data --base 4 --size 32 --batch 4 --strategy backbone --epochs 2 --threads 1 "$@"; }
train -o once >/dev/null || { echo "FAILED train"; exit 1; }

train -o closed <&- >&- 2>&-
verdict "all three streams closed: exit code 0" $?
same "  and the same files" once closed
for stream in 0 1 2; do
  rm -rf closed
  case $stream in
    0) train -o closed <&- >/dev/null ;;
    1) train -o closed >&- ;;
    2) train -o closed >/dev/null 2>&- ;;
  esac
  same "stream $stream closed" once closed
done
"$cris" train --data nowhere 2>&-
[ $? -eq 3 ]
verdict "an error that cannot be told keeps its exit code" $?
"$cris" train --data nowhere 2>/dev/full
[ $? -eq 3 ]
verdict "  with a full disk too" $?
train -o full >/dev/full 2>stderr.txt
[ $? -eq 3 ] && grep -q "could not be written" stderr.txt
verdict "stdout on a full disk: exit code 3" $?
same "  after the work was done" once full
"$cris" --help >/dev/full 2>&1
[ $? -eq 3 ]
verdict "  --help too" $?

{ train -o left; echo $? >left.txt; } | head -n 1 >/dev/null
[ "$(cat left.txt)" -eq 0 ]
verdict "a reader that leaves does not stop a training" $?
same "  nor change it" once left
(ulimit -f 8; train -o limited >/dev/null 2>stderr.txt)
[ $? -eq 3 ] && grep -q "File too large" stderr.txt && ! find limited -name '*.partial' | grep -q .
verdict "ulimit -f: exit code 3 and its reason, nothing half-written" $?
train -o limited >/dev/null
same "  and the run goes on" once limited

long=("$cris" train --data data --base 4 --size 32 --batch 4 --epochs 4000 --threads 1 -o)
signalled HUP hung/metrics.jsonl "${long[@]}" hung
[ $? -eq 85 ] && [ -s hung/checkpoints/last.safetensors ]
verdict "SIGHUP: a checkpoint and exit code 85" $?
nohup "${long[@]}" kept >/dev/null 2>&1 & child=$!
for _ in $(seq 200); do [ -s kept/metrics.jsonl ] && break; sleep 0.1; done
kill -HUP "$child"; sleep 1; kill -KILL "$child"; wait "$child" 2>/dev/null
[ $? -eq 137 ]
verdict "  unless it was ignored at the start" $?

# One step, then a long validation: the signal comes while it lasts.
"$cris" data synthesize long_data --count 300 --size 64 --seed 4 >/dev/null && "$cris" data split long_data --validation 0.98 --test 0.007 -o long.txt >/dev/null
validate=("$cris" train --data long_data --set data.split=long.txt --base 8 --size 64 --batch 4 --strategy backbone --epochs 1 --threads 1 -o)
"${validate[@]}" undisturbed >/dev/null || echo "FAILED a training with a long validation"
signalled TERM stopped/metrics.jsonl "${validate[@]}" stopped
[ $? -eq 85 ] && grep -q "stopped while epoch 1 was validated" stderr.txt
verdict "SIGTERM during validation: exit code 85 before it ends" $?
"${validate[@]}" stopped >/dev/null
same "  and the run goes on to the same bytes" undisturbed stopped
finish
