#!/usr/bin/env bash
# The same command gives the same bytes: twice, with 1 and 2 threads, and when it was killed and started again.
#   repeat.sh PROGRAM [OPTION...]     options of every training, such as --device cuda
source "$(dirname "$0")/setting.bash"
training=(train --data data --base 4 --size 32 --batch 3 --strategy cris "${@:2}")

"$cris" data synthesize data --count 24 --size 40 --seed 3 >/dev/null || { echo "FAILED synthesize"; exit 1; }
train() { "$cris" "${training[@]}" --epochs 2 --set train.checkpoint_steps=2 "$@" >train.txt 2>&1; }

train -o once --threads 1
verdict "a small training ends well" $?
train -o again --threads 1
same "the same command twice" once again
train -o two --threads 2
same "1 and 2 threads" once two checkpoints/last.safetensors checkpoints/best.safetensors metrics.jsonl epochs.csv per_image.csv evaluation.json

# Later each time, until it gets through.
killed "0.1 0.15 0.2 0.3 0.4 0.6 0.8 1.2" "$cris" "${training[@]}" --epochs 2 --set train.checkpoint_steps=2 -o killed --threads 1
[ "$kills" -gt 0 ] && train -o killed --threads 1
verdict "a run killed $kills times goes on" $?
same "killed and resumed as uninterrupted" once killed

signalled TERM stopped/metrics.jsonl "$cris" "${training[@]}" --epochs 40 -o stopped --threads 1
[ $? -eq 85 ] && [ -s stopped/checkpoints/last.safetensors ]
verdict "SIGTERM: a checkpoint and exit code 85" $?

ends "a run that overfits a few images, stopped" 85 "$cris" "${training[@]}" --overfit 6 --epochs 2 --set train.checkpoint_steps=1 -o few --max-time 0.001s
train -o few --overfit 6 --set train.checkpoint_steps=1 && train -o few --overfit 6 --set train.checkpoint_steps=1 && grep -q complete train.txt && grep -q "overfit, 6 images serve as all three" few/split.txt && "$cris" eval few --json | grep -q '"images":6'
verdict "  goes on, is left alone when complete, and is evaluated on them" $?

sha256sum once/SHA256SUMS once/config.resolved.toml >sums.txt
train -o once --threads 1 && grep -q complete train.txt && train -o once --threads 2 && grep -q complete train.txt && sha256sum --quiet -c sums.txt
verdict "a complete run is left alone, whoever computes" $?
mkdir -p two/notes && echo mine | tee two/notes/draft.partial >two/epochs.csv.old
"$cris" eval two >/dev/null && train -o two --threads 2 --epochs 4 && "$cris" eval two --overlays 1 >/dev/null && "$cris" verify two >/dev/null && [ -s two/notes/draft.partial ] && ! grep -q csv.old two/SHA256SUMS
verdict "more epochs: evaluations and a person's own files are not the run's" $?
ends "verify agrees" 0 "$cris" verify once
echo >>once/epochs.csv
ends "verify finds a changed file: exit code 5" 5 "$cris" verify once

"$cris" predict again data -o out --overlay >/dev/null && [ "$(ls out/masks | wc -l)" -eq 24 ] && [ "$(ls out/overlays | wc -l)" -eq 24 ]
verdict "predict writes a mask for every image" $?
"$cris" eval again --json | grep -q '"dice":.*"threshold":.*"images":4'
verdict "eval --json" $?
"$cris" report two again -o report.html >/dev/null && grep -q '<svg' report.html && ! grep -q 'src="http' report.html
verdict "report is one offline file" $?
finish
