#!/usr/bin/env bash
# Every file operation of the program killed, cut in half or failing, one at a time: what the next start makes of it must
# be the bytes of an undisturbed run, and what appears at once must be the old or the new, never a mixture.
#   inject.sh PROGRAM [EVERY [KIND...]]    every EVERY-th operation (1), kinds (kill half 28 5 28+): see inject.c
# An hour or so; run by hand. Needs a C compiler.
here=$(dirname "$(realpath "$0")")
source "$here/../program/setting.bash"
every=${2:-1}
kinds=("${@:3}")
[ ${#kinds[@]} -gt 0 ] || kinds=(kill half 28 5 28+)
cc -shared -fPIC -O1 -o inject.so "$here/inject.c" -ldl || exit 1
"$cris" data synthesize data --count 12 --size 40 --seed 3 >/dev/null || exit 1

# state FOLDER: its files by content and its folders, but for what holds times.
state() { (cd "$1" 2>/dev/null && find . -type f ! -name log.txt ! -name timing.jsonl -exec sha256sum {} + | sort -k 2 && find . -type d | sort) | sha256sum; }
# faulty PATH N KIND COMMAND...
faulty() { FAULT_PATH=$1 FAULT_AT=$2 FAULT_KIND=$3 FAULT_COUNT=$PWD/count.txt LD_PRELOAD=$PWD/inject.so "${@:4}" >stdout.txt 2>stderr.txt; }
# told STATUS KIND: a killed process dies of it; a failing one tells it in a line, or goes on where nothing was lost.
told() {
  if [[ $2 == [0-9]* ]]; then [ "$1" -eq 0 ] || { [ "$1" -eq 3 ] && [ "$(wc -l <stderr.txt)" -eq 1 ]; }; else [ "$1" -eq 137 ]; fi
}

training() { "$@" "$cris" train --data data --base 4 --size 32 --batch 4 --epochs 2 --threads 1 --set train.checkpoint_steps=3 --set crf.filter=exact --strategy "$strategy" -o run; }
for strategy in backbone fcn crf cris; do
  rm -rf run
  training faulty run 0 none && right=$(state run) && operations=$(cat count.txt) || { echo "FAILED train $strategy"; exit 1; }
  for kind in "${kinds[@]}"; do
    tried=0 wrong=0 untold=0
    for at in $(seq 1 "$every" "$operations"); do
      rm -rf run
      status=0
      training faulty run "$at" "$kind" || status=$?
      told "$status" "$kind" || { untold=$((untold + 1)); echo "operation $at: exit code $status: $(head -c 300 stderr.txt)"; }
      training env >/dev/null 2>stderr.txt
      [ "$(state run)" = "$right" ] || { wrong=$((wrong + 1)); echo "operation $at of $operations: $(head -c 300 stderr.txt)"; }
      tried=$((tried + 1))
    done
    [ $((wrong + untold)) -eq 0 ]
    verdict "train, $strategy, $kind at $tried of $operations operations: $wrong differ after the next start, $untold told wrongly" $?
  done
done

# at_once NAME FOLDER PATH COMMAND...: FOLDER goes from what it is in old/ to what COMMAND makes of it, in one step.
at_once() {
  local name=$1 folder=$2 path=$3 old new operations tried status mixed
  shift 3
  begin() { rm -rf stage && cp -r old stage; }
  begin && old=$(cd stage && state "$folder") && (cd stage && "$@" >/dev/null) && new=$(cd stage && state "$folder") || { verdict "$name" 1; return; }
  begin && (cd stage && FAULT_PATH=$path FAULT_AT=0 FAULT_COUNT=$PWD/../count.txt LD_PRELOAD=$PWD/../inject.so "$@" >/dev/null) && operations=$(cat count.txt)
  for kind in "${kinds[@]}"; do
    tried=0 mixed=0
    for at in $(seq 1 "$every" "$operations"); do
      begin
      status=0
      (cd stage && FAULT_PATH=$path FAULT_AT=$at FAULT_KIND=$kind LD_PRELOAD=$PWD/../inject.so "$@") >/dev/null 2>stderr.txt || status=$?
      now=$(cd stage && state "$folder")
      { [ "$now" = "$old" ] || [ "$now" = "$new" ]; } || { mixed=$((mixed + 1)); echo "operation $at of $operations, exit code $status: a mixture"; }
      (cd stage && "$@") >/dev/null 2>&1
      { [ "$(cd stage && state "$folder")" = "$new" ] && ! find stage -name '*.partial' | grep -q .; } || { mixed=$((mixed + 1)); echo "operation $at of $operations: the next start does not mend it"; }
      tried=$((tried + 1))
    done
    [ "$mixed" -eq 0 ]
    verdict "$name, $kind at $tried of $operations operations: $mixed mixtures" $?
  done
}
strategy=backbone
rm -rf run && training env >/dev/null && mkdir old && cp -r data run old && (cd old && "$cris" eval run --checkpoint last --overlays 1 >/dev/null && mv run/eval-test-last run/eval-test-best && "$cris" data prepare data -o small --size 32 >/dev/null)
at_once "eval over an older evaluation" run/eval-test-best eval-test "$cris" eval run --threads 1
at_once "data prepare over an older set" small small "$cris" data prepare data -o small --size 48 --threads 1
finish
