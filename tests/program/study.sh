#!/usr/bin/env bash
# A study of two cells: two workers share it, one after the other is killed, and its records have the bytes of an undisturbed
# one; its report comes from the records alone.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize pictures --count 24 --size 40 --seed 1 >/dev/null || { echo "FAILED synthesize"; exit 1; }
cat >plan.toml <<'PLAN'
[study]
backbones = ["unet"]
strategies = ["backbone", "cris"]
trials = 3
trial_epochs = 1
epochs = 2
seeds = [0, 1]

[settings]
data.size = 32
model.base = 2

[sets.kvasir-seg]
images = 24
PLAN
work=("$cris" study work plan.toml --data kvasir-seg=pictures --threads 1 -o)

"${work[@]}" whole >whole.txt 2>&1
verdict "one worker takes a study from nothing to its last run" $?
grep -q "2 of 2 cells are complete" whole.txt && "$cris" study status whole | grep -q "kvasir-seg-unet-cris .*2 of 2 final runs  3 of 3 trials"
verdict "and says how it stands" $?
[ "$(ls whole/runs | wc -l)" -eq 4 ] && [ -z "$(find whole -name '*.safetensors')" ]
verdict "final runs keep small files only" $?

"$cris" train -c whole/runs/kvasir-seg-unet-cris-seed1/config.resolved.toml --data pictures -o plain >/dev/null
same "a training on the pictures as they are takes the same steps" plain whole/runs/kvasir-seg-unet-cris-seed1 metrics.jsonl epochs.csv per_image.csv evaluation.json
"$cris" verify whole/runs/kvasir-seg-unet-cris-seed1 >verify.txt && [ "$(grep -c '^removed checkpoints' verify.txt)" -eq 2 ]
verdict "verify knows what was removed on purpose" $?

"${work[@]}" shared >second.txt 2>&1 &
second=$!
killed "0.3 0.7 1.1 1.6" "${work[@]}" shared
[ "$kills" -gt 0 ] && wait "$second" && "${work[@]}" shared >third.txt 2>&1
verdict "two workers, of which one was killed $kills times, complete the same study" $?
"$cris" study records whole -o records >/dev/null && "$cris" study records shared -o others >/dev/null
verdict "records" $?
same_records "whoever worked, and whoever was killed: the same bytes but for the times" records others
grep -rlE "$(hostname)|$scratch" records
[ $? -eq 1 ]
verdict "no path and no name of this machine is recorded" $?

"$cris" study records whole -o records >/dev/null && mkdir empty && mv records empty && cd empty && "$cris" study report records -o page.html >report.txt && cd ..
verdict "the report needs the records alone" $?
grep -q "Kvasir-SEG: Dice, %" empty/report.txt && grep -q "^UNet: cris - backbone *+9.30 " empty/report.txt && grep -q "<h2>Kvasir-SEG</h2>" empty/page.html && ! grep -q 'src="http' empty/page.html
verdict "claimed beside measured, as text and as one offline page" $?
"$cris" paper --kvasir empty/records/runs/* >/dev/null && "$cris" paper --kvasir whole/runs/* >/dev/null
verdict "cris paper reads the runs, and their records" $?
cp -r empty/records emptied && : >emptied/SHA256SUMS
refuses "records whose list was emptied" 3 "does not list plan.toml" "$cris" study report emptied
cp -r empty/records shorter && sed -i '/per_image/d' shorter/SHA256SUMS
refuses "  or shortened" 3 "SHA256SUMS does not list runs/" "$cris" study report shorter
mkdir -p mine/runs/thesis && echo text >mine/runs/thesis/notes.md && echo text >mine/plan.toml
refuses "records over somebody's files" 3 "not records of a study" "$cris" study records whole -o mine
[ "$(cat mine/runs/thesis/notes.md mine/plan.toml)" = "$(printf 'text\ntext')" ]
verdict "  which stay" $?
refuses "records over the study" 3 "works on" "$cris" study records whole -o whole
refuses "  or around it" 3 "works on" "$cris" study records whole -o .
refuses "  or over its runs" 3 "works on" "$cris" study records whole -o whole/runs
ln -s whole alias
refuses "  by a link" 3 "works on" "$cris" study records alias -o whole/trials/here
refuses "  or over another one" 3 "not records of a study" "$cris" study records whole -o shared
"$cris" verify whole/runs/kvasir-seg-unet-cris-seed1 >/dev/null
verdict "  whose runs are as they were" $?

signalled USR1 stopped/study.journal "${work[@]}" stopped
[ $? -eq 85 ]
verdict "SIGUSR1: a checkpoint and exit code 85" $?

sed 's/data.size = 32/data.size = 48/' plan.toml >other.toml
# What Optuna adds when a study is asked for that is there: it changes nothing, and counts for nothing.
cp -r whole named && {
  sed '2q' whole/study.journal && grep -m 1 '"op_code":0' whole/study.journal && sed '1,2d' whole/study.journal
  printf '%s\n' '{"op_code":7,"worker_id":"a","trial_id":-100000000,"step":0,"intermediate_value":1}' '{"op_code":10,"worker_id":"a"}'
} >named/study.journal
"$cris" study records whole -o fresh >/dev/null && "$cris" study records named -o named_records >/dev/null && diff -r fresh named_records
verdict "lines of a journal that change nothing change no record" $?
refuses "another plan in the same folder" 2 "data.size: 32, not 48" "$cris" study work other.toml -o whole
refuses "data that are not given" 2 "give --data kvasir-seg=DIR" "$cris" study work plan.toml -o none
sed 's/images = 24/images = 25/' plan.toml >more.toml
refuses "a folder with another number of pairs" 3 "holds 24 pairs" "$cris" study work more.toml -o nothing --data kvasir-seg=pictures
refuses "a folder without a study" 2 "holds no study" "$cris" study status pictures
"$cris" study plan plan.toml --threads 1 | grep -q "together at most"
verdict "the plan says what it will take" $?
"$cris" study slurm plan.toml -o "queue it" --data kvasir-seg=pictures --tasks 2 >/dev/null && bash -n "queue it/study.sbatch" && grep -q "^#SBATCH --array=1-2" "queue it/study.sbatch"
verdict "an array job for Slurm" $?
echo "# mine" >>"queue it/study.sbatch"
refuses "  one that somebody changed is not replaced" 3 "differs from what this command writes" "$cris" study slurm plan.toml -o "queue it" --data kvasir-seg=pictures --tasks 2
finish
