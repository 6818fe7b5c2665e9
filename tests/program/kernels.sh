#!/usr/bin/env bash
# The kernels of every level of processor in one program: each level keeps to itself, the best one is taken, another can be
# asked for, and older processors (played by qemu-user, where it is installed) get theirs instead of an illegal instruction.
#   kernels.sh PROGRAM
source "$(dirname "$0")/setting.bash"
objects=$(dirname "$cris")/layers/tensor
levels=$("$cris" doctor | awk '$1 == "levels" { gsub(",", ""); $1 = ""; print }')

for level in $levels; do
  name=cris_cpu_${level//-/_} object=$objects/cris_cpu_${level//-/_}.o
  # Another visible symbol could become the whole program's copy of an inline function.
  [ "$(nm --defined-only --extern-only "$object" | awk 'NF == 3 { print $3 }')" = "$name" ]
  verdict "$name shows one symbol, its own" $?
  # What runs before main runs on every processor.
  objdump -h "$object" >/dev/null && ! objdump -d -j .text.startup "$object" 2>/dev/null | grep -qE '%[xyz]mm|%k[0-7]|\sv[a-z]+\s'
  verdict "$name has no vector instruction in what runs before main" $?
done

says() { grep -qE "^ *kernels +$1\$" doctor.txt; }  # what the last `cris doctor` computes with
"$cris" doctor >doctor.txt && says "$(cut -d' ' -f2 <<<"$levels")"
verdict "the best level is taken" $?
for level in $levels; do
  CRIS_CPU_KERNELS=$level "$cris" doctor >doctor.txt && says "$level" && grep -qE '^cpu +works' doctor.txt
  verdict "$level works when it is asked for" $?
done
CRIS_CPU_KERNELS=x86-64-v9 "$cris" doctor >doctor.txt
grep -q 'cpu .*"x86-64-v9" is unknown; choose' doctor.txt
verdict "an unknown level is refused by name" $?

last=$(awk '{ print $NF }' <<<"$levels")
"$cris" data synthesize data --count 6 --size 32 >/dev/null &&
  CRIS_CPU_KERNELS=$last "$cris" train --data data --base 4 --size 32 --epochs 1 -o run >/dev/null &&
  grep -q "\"kernels\": \"$last\"" run/manifest.json
verdict "a run's manifest says which kernels computed it" $?

if command -v qemu-x86_64 >/dev/null && ! sanitized && [[ $levels == *x86-64-v3* ]]; then
  for cpu in Haswell=x86-64-v3 Nehalem=x86-64; do
    qemu-x86_64 -cpu "${cpu%=*}" "$cris" doctor >doctor.txt 2>/dev/null && says "${cpu#*=}"
    verdict "on a ${cpu%=*} the kernels are ${cpu#*=}" $?
  done
  qemu-x86_64 -cpu Nehalem "$cris" train --data data --base 4 --size 32 --epochs 1 --strategy backbone -o aged >/dev/null 2>&1 && [ -s aged/SHA256SUMS ]
  verdict "and a training runs there" $?
fi
finish
