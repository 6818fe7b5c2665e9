#!/usr/bin/env bash
# A run is tied to its data by their hash, and what is verified or reported of it is what it is; numbers that would mean
# nothing are refused at the start.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize a --count 12 --size 40 --seed 5 >/dev/null || { echo "FAILED synthesize"; exit 1; }
train() { "$cris" train --base 4 --size 32 --batch 4 --strategy backbone --threads 1 "$@"; }
train --data a --epochs 4 -o whole >/dev/null
train --data a --epochs 2 -o run >/dev/null || { echo "FAILED train"; exit 1; }

# Data that moved.
train --data ./a --epochs 2 -o run 2>&1 | grep -q "is complete" && train --data "$PWD/a" --epochs 2 -o run 2>&1 | grep -q "is complete"
verdict "the same data by another path: the run is complete" $?
(mkdir -p far/away && cd far/away && "$cris" verify ../../run >/dev/null && "$cris" eval ../../run >/dev/null)
verdict "from another folder verify and eval find the data" $?
mv a b
refuses "data that are gone" 3 "a: no such folder" "$cris" eval run
train --data b --epochs 4 -o run >/dev/null && "$cris" verify run >/dev/null && "$cris" eval run >/dev/null && (cd far && "$cris" eval ../run >/dev/null)
verdict "data that moved: more epochs; verify and eval remember the place" $?
same "  and the files are those of data that stayed" whole run metrics.jsonl epochs.csv split.txt checkpoints/last.safetensors per_image.csv
cp b/images/0003.png b/images/0004.png
refuses "an image changed: eval names it" 3 "images/0004.png of $PWD/b changed" "$cris" eval run
"$cris" verify run >verify.txt
[ $? -eq 5 ] && grep -q "FAILED  data: .*images/0004.png" verify.txt
verdict "  and verify" $?
refuses "  and train" 3 "images/0004.png of b changed" train --data b --epochs 5 -o run
"$cris" data synthesize b --count 12 --size 40 --seed 5 >/dev/null && "$cris" verify run >/dev/null
verdict "restored, all agrees again" $?
cp -r run locked && chmod -R a-w locked
if [ "$(id -u)" -eq 0 ]; then chmod 755 . && mkdir -m 777 open; user() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }; else mkdir open; user() { "$@"; }; fi
if user "$cris" --version >/dev/null 2>&1; then
  refuses "a run that cannot be written names the way" 3 "eval -o" user "$cris" eval locked --data b
  user "$cris" eval locked --data b -o open/e >/dev/null && [ -s open/e/evaluation.json ]
  verdict "  which works" $?
  user env ASAN_OPTIONS=detect_leaks=0 prlimit --nproc=1 "$cris" train --data b --base 4 --size 32 --epochs 1 --batch 4 --strategy backbone --threads 1 -o open/r >/dev/null 2>stderr.txt && [ -s open/r/SHA256SUMS ]
  verdict "a training without any thread" $?
  user prlimit --nproc=1 "$cris" train --data b --base 4 --size 32 --epochs 1 --batch 4 --strategy backbone -o open/r2 2>&1 | grep -q "allows no more threads"
  verdict "  with more wanted it says so" $?
fi
chmod -R u+w locked

# What verify and report believe.
spoil() { rm -rf spoilt && cp -r run spoilt; }
# finds NAME TEXT: verify fails and says TEXT.
finds() {
  "$cris" verify spoilt --data b >verify.txt 2>&1
  [ $? -eq 5 ] && grep -qF -- "$2" verify.txt
  verdict "verify: $1" $?
}
spoil && : >spoilt/SHA256SUMS
finds "an emptied list" "evaluation.json: is there, and SHA256SUMS does not list it"
spoil && sed -i '/evaluation.json/d' spoilt/SHA256SUMS && sed -i 's/0/1/' spoilt/evaluation.json
finds "a line taken out" "evaluation.json: is there, and SHA256SUMS does not list it"
spoil && sed -i '/evaluation.json/d' spoilt/SHA256SUMS && rm spoilt/evaluation.json
finds "  with its file" "evaluation.json: is missing"
spoil && cp spoilt/overlays/01_*.png spoilt/overlays/99_more.png
finds "a picture that was added" "overlays/99_more.png: is there"
spoil && sha256sum /etc/hostname | sed "s,/etc/hostname,../../../../etc/hostname," >>spoilt/SHA256SUMS
finds "a name outside the run" "../../../../etc/hostname: is listed, but is not a file of a run"
spoil && rm spoilt/curves.csv
finds "a file that is gone" "curves.csv: is missing"
spoil && printf 'epoch,loss\n1,bce\n' >spoilt/epochs.csv
refuses "a table with too few columns is named: report" 3 "spoilt/epochs.csv: line 2 is damaged" "$cris" report spoilt -o spoilt.html
spoil && rm -f spoilt/precision_recall*.csv && printf 'threshold,dice\n0.5,1\n' >spoilt/curves.csv
refuses "  each of them" 3 "spoilt/curves.csv" "$cris" report spoilt -o spoilt.html
spoil && train --data b --epochs 4000 --max-time 0.2s -o spoilt >/dev/null
refuses "a run opened again is not a result: report" 3 "spoilt: the run is not finished" "$cris" report spoilt -o spoilt.html
refuses "  nor for the paper" 3 "spoilt: the run is not finished" "$cris" paper --kvasir spoilt

# What verify computes again.
reseal() { (cd "${1:-spoilt}" && cut -c67- SHA256SUMS | xargs -d '\n' sha256sum >sums.txt && mv sums.txt SHA256SUMS); }
# recomputes NAME CODE TEXT [OPTION...]: verify --recompute of the spoilt run ends with CODE and says TEXT.
recomputes() {
  "$cris" verify spoilt --data b --recompute "${@:4}" >verify.txt 2>&1
  [ $? -eq "$2" ] && grep -qE -- "$3" verify.txt
  verdict "verify --recompute: $1" $?
}
steps=$(grep -c '"step"' run/metrics.jsonl)
spoil && recomputes "measures and first steps" 0 "^3 of $steps steps replayed" --steps 3
grep -q " 0 failed" verify.txt && grep -q "^measures recomputed with checkpoints/best" verify.txt
verdict "  nothing differs" $?
recomputes "the whole training" 0 "^$steps of $steps steps replayed from the initial weights, to the end" --steps all
dice=$(sed -n 's/.*"dice": \([0-9.]*\).*/\1/p' run/evaluation.json | head -n 1)
sed -i "0,/\"dice\": $dice/s//\"dice\": 0.987654/" spoilt/evaluation.json && reseal
recomputes "an edited mean" 5 "^FAILED  evaluation.json: /chosen_on_training_set/dice: recorded 0.987654, recomputed $dice$"
[ "$(grep -c FAILED verify.txt)" -eq 1 ]
verdict "  and nothing else is blamed" $?
spoil && sed -i '3s/,[0-9.]*/,0.987654/' spoilt/per_image.csv && reseal
recomputes "an edited Dice of an image" 5 "^FAILED  per_image.csv: line 3 \(.*\), column dice: recorded 0.987654, recomputed "
spoil && sed -i '2s/"loss":[^}]*/"loss":0.123/' spoilt/metrics.jsonl && reseal
recomputes "an edited loss" 5 "^FAILED  metrics.jsonl: line 2, epoch 1, step 1: /loss: recorded 0.123, recomputed "
finds "  also by the checkpoint's hash" "metrics.jsonl: is not the file that checkpoints/last.safetensors was written beside"
train --data b --epochs 4 --seed 1 -o other >/dev/null && spoil && cp other/checkpoints/best.safetensors spoilt/checkpoints && reseal
recomputes "weights of another training" 5 "^FAILED  checkpoints/best.safetensors: tensor .* is not the one that the training makes" --steps all
spoil && sed -i 's/"cpu": "/&other /' spoilt/manifest.json && sed -i '3s/,[0-9.]*/,0.987654/' spoilt/per_image.csv && reseal
recomputes "of another processor" 5 "^note: the run's cpu was .* within 0.001"
[ "$(grep -c FAILED verify.txt)" -eq 1 ] && grep -q "^FAILED  per_image.csv: line 3" verify.txt
verdict "  the edited number is found all the same" $?
spoil && rm -r spoilt/checkpoints && printf 'checkpoints/best.safetensors\ncheckpoints/last.safetensors\n' >spoilt/removed.txt
recomputes "without checkpoints" 0 "^measures cannot be recomputed: checkpoints/best.safetensors was removed"
refuses "steps that are no number" 2 "give a number of steps, or all" "$cris" verify run --recompute --steps few
spoil && rm spoilt/SHA256SUMS

# Names that a spreadsheet would compute.
cp -r b sums && name=$(sed -n '/^\[test/,/^\[/p' run/split.txt | sed -n 2p) && mv "sums/images/$name.png" sums/images/=1+2.png && mv "sums/masks/$name.png" sums/masks/=1+2.png
train --data sums --epochs 1 --overfit 12 -o sums_run >/dev/null && grep -q "^'=1+2," sums_run/per_image.csv && ! grep -q "^[-=+@]" sums_run/per_image.csv && "$cris" report sums_run -o sums.html >/dev/null && grep -q "=1+2 · Dice" sums.html
verdict "a name like a formula is a text to spreadsheets, and itself in the report" $?

# Numbers that would mean nothing.
refuses "one value a channel" 2 "batch normalisation needs at least two values" "$cris" train --data b --base 4 --size 16 --batch 1 --strategy backbone -o none
refuses "  in the last batch" 2 "batch normalisation needs at least two values" "$cris" train --data b --base 4 --size 16 --batch 7 --strategy backbone -o none
# masks SET PART EXPRESSION: the data b, with such masks in a part of the run's split.
masks() { cp -r b "$1" && for name in $(sed -n "/^\[$2/,/^\[/p" run/split.txt | grep -v '^\['); do draw "$1/masks/$name.png" 40 40 "$3"; done; }
dot='255 if (x, y) == (20, 20) else 0'
masks empty validation 0
refuses "a validation set without a polyp" 3 "validation masks has a polyp pixel" train --data empty --epochs 2 -o none
masks dull test 0 && train --data dull --epochs 1 -o dull_run 2>&1 | grep -q "note: not one of the 2 test masks has a polyp"
verdict "a test set without a polyp is told" $?
masks dots validation "$dot" && train --data dots --epochs 1 --size 16 -o dots_run 2>&1 | grep -q "note: 2 of 2 validation masks have a polyp smaller than a pixel of 16 x 16" && ! awk -F, 'NR > 1 && $11 == 1' dots_run/epochs.csv | grep -q . && grep -q '"polyps_below_a_pixel": 0' dots_run/evaluation.json
verdict "polyps that vanish by resizing are told, and finding none is not a success" $?
masks specks test "$dot" && train --data specks --epochs 1 --size 16 -o specks_run >/dev/null 2>&1 && grep -q '"polyps_below_a_pixel": 2' specks_run/evaluation.json && "$cris" report specks_run -o specks.html >/dev/null && grep -q "2 of the test polyps are smaller than a pixel at this size" specks.html
verdict "  and counted where a report shows the score" $?
for file in split.txt data.sha256 manifest.json; do
  rm -rf edited && cp -r whole edited
  case $file in
    split.txt) "$cris" data split b --seed 7 -o other_split.txt >/dev/null && cp other_split.txt edited/split.txt ;;
    data.sha256) sed -i '1d' edited/data.sha256 ;;
    manifest.json) sed -i 's/"seed": [0-9]*/"seed": 9/' edited/manifest.json ;;
  esac
  reseal edited
  "$cris" verify edited --data b >out.txt 2>&1
  [ $? -eq 5 ] && grep -q "^FAILED  $file: " out.txt
  verdict "verify finds an edited $file whose hash was made anew" $?
done
TMPDIR=/nonexistent "$cris" verify whole --recompute >out.txt 2>&1
[ $? -eq 3 ] && grep -q 'no folder can be made in /nonexistent; set TMPDIR' out.txt
verdict "verify --recompute without a place for it: exit code 3, with the remedy" $?
finish
