#!/usr/bin/env bash
# The paper's study in small: every cell is filled; killed it goes on; complete it is left alone.
source "$(dirname "$0")/setting.bash"
export CRIS=$cris TMPDIR=$scratch script=$tests/../tools/reproduce_paper.sh

"$cris" data synthesize first --count 12 --size 32 --seed 1 >/dev/null && "$cris" data synthesize second --count 12 --size 32 --seed 2 >/dev/null || { echo "FAILED synthesize"; exit 1; }
study() { "$script" --kvasir first --cvc second -o study --size 32 --base 2 --epochs 2 --lr 1e-3 --threads 1 "$@"; }
sealed() { ls study/runs/*/SHA256SUMS 2>/dev/null | wc -l; }

set -m
study >/dev/null 2>&1 &
child=$!
for _ in $(seq 600); do [ "$(sealed)" -ge 5 ] && break; sleep 0.1; done
kill -KILL -- "-$child"
wait "$child" 2>/dev/null
set +m
[ "$(sealed)" -ge 5 ] && [ "$(sealed)" -lt 24 ] && [ ! -e study/report.html ]
verdict "killed after a few cells" $?
sha256sum study/runs/*/SHA256SUMS >before.txt

study >stdout.txt 2>stderr.txt && [ "$(sealed)" -eq 24 ] && ! grep -qE "^(cris|reproduce_paper):" stderr.txt
verdict "run again it fills all 24 cells" $?
sha256sum --quiet -c before.txt
verdict "and keeps those that were complete" $?
tables() { sed -n '/^Table 1: Kvasir-SEG/,/^report:/p' "$1"; }
[ "$(tables stdout.txt | grep -c '^Backbone \|^Backbone+FCN\|^Backbone+CRF\|^Proposed')" -eq 8 ] && ! tables stdout.txt | grep -q ' - '
verdict "both tables, no cell without a number" $?
grep -q "^Kvasir-SEG: cris less the others" stdout.txt && [ "$(grep -c '^UNet: cris - ' stdout.txt)" -eq 6 ] && [ -s study/records/SHA256SUMS ] && [ -s study/study.html ]
verdict "and the study's own report, with verdicts" $?
[ "$(grep -c '<h3>' study/report.html)" -eq 4 ] && [ "$(grep -o '<svg' study/report.html | wc -l)" -eq 12 ] && [ "$(grep -o 'alt="probability map of' study/report.html | wc -l)" -eq 48 ] && ! grep -q 'src="http' study/report.html
verdict "one offline report: precision-recall of 6 backbones, probability maps of every cell" $?

find study -type f -printf '%p %s %T@\n' | sort >files.txt
study >again.txt && [ "$(tables again.txt)" = "$(tables stdout.txt)" ] && find study -type f -printf '%p %s %T@\n' | sort | cmp -s - files.txt
verdict "complete: prints the tables again and touches no file" $?

refuses "other settings in the same folder" 2 "train.batch" study --batch 2
refuses "no data" 2 "give --kvasir DIR" "$script" -o none
refuses "a folder without masks" 3 "must hold images/ and masks/" "$script" --kvasir first/images
refuses "an unknown argument" 2 "--magic" "$script" --magic 3
"$cris" report study/runs/kvasir-seg-unet-crf-seed0 -o crf.html >/dev/null && grep -q 'Bilateral weight, initially 1 I' crf.html && [ "$(grep -o 'alt="iterations of the CRF' crf.html | wc -l)" -eq 2 ]
verdict "the report of a crf run shows its weights and a film strip of each test image shown" $?
finish
