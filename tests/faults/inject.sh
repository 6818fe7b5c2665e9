#!/usr/bin/env bash
# Every file operation of the program killed, cut in half or failing, one at a time: what the next start makes of it must
# be the bytes of an undisturbed run, and what appears at once must be the old or the new, never a mixture.
#   inject.sh PROGRAM [EVERY [KIND...]]    every EVERY-th operation (1), kinds (kill half short 28 5 28+): see inject.c
# Minutes to an hour; run by hand. Needs a C compiler.
source "$(dirname "$0")/../program/setting.bash"
every=${2:-1}
kinds=("${@:3}")
[ ${#kinds[@]} -gt 0 ] || kinds=(kill half short 28 5 28+)
cc -shared -fPIC -O1 -o inject.so "$tests/faults/inject.c" -ldl && "$cris" data synthesize data --count 7 --size 32 --seed 3 >/dev/null || exit 1
total=0

# state FOLDER: its files by content and its folders, but for what holds times.
state() { (cd "$1" 2>/dev/null && find . -type f ! -name log.txt ! -name timing.jsonl ! -name 'findings.*' -exec sha256sum {} + | sort -k 2 && find . -type d | sort) | sha256sum; }
# told STATUS KIND: a killed process dies of it; a failing one tells it in a line, or goes on where nothing was lost.
told() {
  if [[ $2 == [0-9]* ]]; then [ "$1" -eq 0 ] || { [ "$1" -eq 3 ] && [ "$(grep -c '^cris: ' stderr.txt)" -eq 1 ]; }; elif [ "$2" = short ]; then [ "$1" -eq 0 ]; else [ "$1" -eq 137 ]; fi
}

# disturb NAME HOW FOLDER PATH COMMAND...: in a copy of old/, COMMAND with a fault at each of its operations on PATH, then
# COMMAND alone, which must leave FOLDER as if nothing had happened. HOW = at_once: the fault leaves it as it was, or done.
disturb() {
  local name=$1 how=$2 folder=$3 path=$4 was new now operations at kind status tried wrong
  shift 4
  begin() { rm -rf stage && cp -r old stage; }
  fault() { (cd stage && FAULT_PATH=$path FAULT_AT=$1 FAULT_KIND=$2 FAULT_COUNT=$PWD/../count.txt LD_PRELOAD=$PWD/../inject.so "${@:3}") >/dev/null 2>stderr.txt; }
  begin && was=$(state "stage/$folder") && fault 0 none "$@" && new=$(state "stage/$folder") && operations=$(cat count.txt) || { cat stderr.txt; verdict "$name" 1; return; }
  for kind in "${kinds[@]}"; do
    tried=0 wrong=0
    for at in $(seq 1 "$every" "$operations"); do
      begin
      status=0
      fault "$at" "$kind" "$@" || status=$?
      told "$status" "$kind" || { wrong=$((wrong + 1)); echo "operation $at: exit code $status: $(head -c 300 stderr.txt)"; }
      now=$(state "stage/$folder")
      [ "$how" != at_once ] || [ "$now" = "$was" ] || [ "$now" = "$new" ] || { wrong=$((wrong + 1)); echo "operation $at, exit code $status: a mixture"; }
      (cd stage && "$@") >/dev/null 2>stderr.txt
      [ "$(state "stage/$folder")" = "$new" ] && ! find stage -name '*.partial' | grep -q . || { wrong=$((wrong + 1)); echo "operation $at of $operations, exit code $status: the next start does not mend it: $(head -c 300 stderr.txt)"; }
      tried=$((tried + 1))
    done
    total=$((total + tried))
    [ "$wrong" -eq 0 ]
    verdict "$name, $kind at $tried of $operations operations: $wrong wrong" $?
  done
}

train=("$cris" train --data ../data --base 2 --size 16 --batch 3 --epochs 2 --threads 1 --set train.checkpoint_steps=1 --set crf.filter=exact -o run)
mkdir old
for strategy in backbone fcn crf cris; do disturb "train, $strategy" later run run "${train[@]}" --strategy "$strategy"; done
(cd old && "${train[@]}" --strategy backbone --epochs 1 && "$cris" eval run --checkpoint last --overlays 1 && mv run/eval-test-last run/eval-test-best &&
  "$cris" data prepare ../data -o small --size 16) >/dev/null || exit 1
disturb "eval over an older evaluation" at_once run/eval-test-best eval-test "$cris" eval run --threads 1
disturb "data prepare over an older set" at_once small small "$cris" data prepare ../data -o small --size 20 --threads 1
disturb "predict" later out out "$cris" predict run ../data -o out --threads 1
disturb "crf" later sharp sharp "$cris" crf ../data/images --probability ../data/masks -o sharp --iterations 1 --threads 1
disturb "report" later . page.html "$cris" report run -o page.html
echo "$total faults"
finish
