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

# Killed again and again, later each time, until it gets through.
deaths=0
for pause in 0.1 0.15 0.2 0.3 0.4 0.6 0.8 1.2; do
  "$cris" "${training[@]}" --epochs 2 --set train.checkpoint_steps=2 -o killed --threads 1 >/dev/null 2>&1 &
  child=$!
  sleep "$pause"
  kill -KILL "$child" 2>/dev/null && deaths=$((deaths + 1))
  wait "$child" 2>/dev/null
done
train -o killed --threads 1
verdict "a run killed $deaths times goes on" $?
[ "$deaths" -gt 0 ]
verdict "it was killed at least once" $?
same "killed and resumed as uninterrupted" once killed

"$cris" "${training[@]}" --epochs 40 -o stopped --threads 1 >/dev/null 2>&1 &
child=$!
for _ in $(seq 100); do [ -s stopped/metrics.jsonl ] && break; sleep 0.1; done
kill -TERM "$child"
wait "$child"
[ $? -eq 85 ]
verdict "SIGTERM: a checkpoint and exit code 85" $?
[ -s stopped/checkpoints/last.safetensors ]
verdict "the checkpoint is there" $?

"$cris" "${training[@]}" --overfit 6 --epochs 2 --set train.checkpoint_steps=1 -o few --max-time 0.001s >/dev/null
[ $? -eq 85 ]
verdict "a run that overfits a few images, stopped" $?
train -o few --overfit 6 --set train.checkpoint_steps=1 && train -o few --overfit 6 --set train.checkpoint_steps=1 && grep -q complete train.txt && grep -q "overfit, 6 images serve as all three" few/split.txt
verdict "  goes on, and is left alone when complete" $?

sha256sum once/SHA256SUMS once/config.resolved.toml >sums.txt
train -o once --threads 1 && grep -q complete train.txt && train -o once --threads 2 && grep -q complete train.txt && sha256sum --quiet -c sums.txt
verdict "a complete run is left alone, whoever computes" $?
mkdir -p two/notes && echo mine | tee two/notes/draft.partial >two/epochs.csv.old
"$cris" eval two >/dev/null && train -o two --threads 2 --epochs 4 && "$cris" eval two --overlays 1 >/dev/null && "$cris" verify two >/dev/null && [ -s two/notes/draft.partial ] && ! grep -q csv.old two/SHA256SUMS
verdict "more epochs: evaluations and a person's own files are not the run's" $?
"$cris" verify once >/dev/null
verdict "verify agrees" $?
echo >>once/epochs.csv
"$cris" verify once >/dev/null
[ $? -eq 5 ]
verdict "verify finds a changed file: exit code 5" $?

"$cris" predict again data -o out --overlay >/dev/null && [ "$(ls out/masks | wc -l)" -eq 24 ] && [ "$(ls out/overlays | wc -l)" -eq 24 ]
verdict "predict writes a mask for every image" $?
"$cris" eval again --json | grep -q '"dice":.*"threshold":.*"images":4'
verdict "eval --json" $?
"$cris" report two again -o report.html >/dev/null && grep -q '<svg' report.html && ! grep -q 'src="http' report.html
verdict "report is one offline file" $?
finish
