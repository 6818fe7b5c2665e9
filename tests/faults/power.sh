#!/usr/bin/env bash
# Power cuts: while a training writes to ext4 on a loop device, the device is copied (what had not reached it is lost);
# mounted again, the copy must hold a run that goes on to the bytes of an undisturbed one.
#   power.sh PROGRAM [CUTS [SEED]]    CUTS (50) cuts, each in a training of its own
# Minutes; run by hand, as root.
source "$(dirname "$0")/../program/setting.bash"
cuts=${2:-50} RANDOM=${3:-1}
trap 'umount disk 2>/dev/null; cd /; rm -rf "$scratch"' EXIT
mkdir disk && truncate -s 48M image && mkfs.ext4 -q image && mount -o loop image disk || { echo "skipped: loop devices and mkfs.ext4 need root"; exit 0; }
release() { for _ in $(seq 100); do umount disk 2>/dev/null && return; sleep 0.1; done; umount disk; }
release
"$cris" data synthesize data --count 16 --size 32 --seed 3 >/dev/null || exit 1
data=$PWD/data
train() { cd "$1" && exec "$cris" train --data "$data" --base 2 --size 16 --batch 4 --epochs 40 --strategy backbone --threads 1 -o run; }
mkdir once && (train once) >/dev/null || exit 1
resumed=0 wrong=0 empty=0
for ((c = 0; c < cuts; ++c)); do
  truncate -s 0 image && truncate -s 48M image && mkfs.ext4 -q image && mount -o loop image disk || exit 1
  (train disk) >/dev/null 2>&1 &
  child=$!
  for _ in $(seq 400); do [ -s disk/run/checkpoints/last.safetensors ] && break; sleep 0.02; done
  sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
  kill -STOP "$child" 2>/dev/null
  cp image cut
  kill -KILL "$child" 2>/dev/null
  wait "$child" 2>/dev/null
  release
  mount -o loop cut disk || { wrong=$((wrong + 1)); echo "cut $c: cannot be mounted"; continue; }
  if [ -s disk/run/checkpoints/last.safetensors ]; then resumed=$((resumed + 1)); else empty=$((empty + 1)); fi
  (train disk) >/dev/null 2>stderr.txt || cat stderr.txt
  diff -rq -x log.txt -x timing.jsonl once/run disk/run || wrong=$((wrong + 1))
  release
done
[ "$wrong" -eq 0 ]
verdict "$cuts power cuts: $resumed with a checkpoint, $empty before one; $wrong ended with other bytes" $?
finish
