#!/usr/bin/env bash
# Every bad input: one clear line, the documented exit code, nothing half-written.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize good --count 12 --size 40 --seed 5 >/dev/null || { echo "FAILED synthesize"; exit 1; }
train() { "$cris" train --base 4 --size 32 --epochs 2 --batch 2 -o run --set train.strategy=backbone "$@"; }
first=$(basename "$(ls good/images/* | head -n 1)")
# broken NAME: a copy of the good set, to be spoilt.
broken() { rm -rf "$1" && cp -r good "$1"; }

refuses "a synthetic picture too small for a scene" 2 "32" "$cris" data synthesize small --size 24
printf 'model.base = [= 3\n' >bracket.toml
refuses "a configuration that toml++ would assert on" 2 "bracket.toml:1" train --data good -c bracket.toml
refuses "no data" 2 "--data" train
broken one_missing && rm "one_missing/masks/$first"
refuses "an image without its mask" 3 "${first%.*}" train --data one_missing
broken truncated && head -c 600 "good/images/$first" >"truncated/images/$first"
refuses "a truncated image" 3 "$first" train --data truncated
broken lost && rm "lost/images/$first" && ln -s nowhere "lost/images/$first"
refuses "a link that leads nowhere" 3 "lost/images/$first: No such file" train --data lost
refuses "the help that is pointed to is the command's own" 2 "; cris train --help says more" "$cris" train --no-such-flag
refuses "  of a command in a command too" 2 "; cris data synthesize --help says more" "$cris" data synthesize none --count 0
refuses "  of a command that lacks one" 2 "; cris data --help says more" "$cris" data
refuses "shares of a split that leave nothing" 2 "below 1" "$cris" data split good --validation 0.5 --test 0.5
refuses "a share that is not a number" 2 "--validation" "$cris" data split good --validation nan
refuses "a negative seed" 2 "--seed" "$cris" data synthesize none --seed -1
printf '[train]\nlearning_rat = 0.1\n' >wrong.toml
refuses "an unknown key" 2 "wrong.toml:2: unknown key \"train.learning_rat\"; the nearest is \"train.learning_rate\"" "$cris" train --data good -c wrong.toml
refuses "an unknown key of --set" 2 "train.epochs" "$cris" train --data good --set train.epoch=3
"$cris" >stdout.txt 2>stderr.txt
[ $? -eq 2 ] && [ ! -s stderr.txt ] && grep -q '^  predict  *segment images' stdout.txt
verdict "no command: the list of commands, exit code 2" $?
refuses "a mistyped flag" 2 "--sizee is not an option of cris train; did you mean --size?" "$cris" train --sizee 3
refuses "a folder without its flag" 2 "good is one argument too many for cris train; did you mean --data good?" "$cris" train good
"$cris" help data check | grep -q '^Usage: cris data check ' && "$cris" help | grep -q '^  predict '
verdict "help in the place of --help" $?
refuses "a mistyped command of a command" 2 "did you mean check?" "$cris" data chek good
refuses "an unknown command" 2 "trian is not a command; did you mean train?; cris --help" "$cris" trian --data good
refuses "a number out of range names its flag" 2 "--threads: run.threads = 2000" "$cris" train --data good --threads 2000
printf '[refiner]\nkernels = [%s3]\n' "$(printf '3,%.0s' {1..64})" >kernels.toml
refuses "a refiner of 65 layers" 2 "65 entries: at most 64" "$cris" train --data good -c kernels.toml
printf '[refiner]\nkernels = [255, 255, 3]\nchannels = 1024\n' >large.toml
refuses_within 2000000 "a model that memory does not hold" 2 "out of memory" "$cris" train --data good --base 2 --size 32 -c large.toml -o run
refuses "a learning rate beyond all" 2 "at least 0 and at most 1e+300" "$cris" train --data good --lr 1e308
refuses "-- before names, and no output" 2 "--out is required" "$cris" predict run -- good
refuses "a number of folds that there cannot be" 3 "13 folds; 3 to 12 are possible" "$cris" data split good --folds 13 -o f.txt
refuses "bench convolutions on the cpu" 2 "--device cuda has" "$cris" bench convolutions
refuses "an --init that is not there" 2 "nosuch" "$cris" train --data good --base 2 --size 32 --epochs 1 --init nosuch -o begun
absent "  leaves no run behind" begun
"$cris" help trian >/dev/null 2>told.txt
[ $? -eq 2 ] && grep -q "did you mean train" told.txt
verdict "help of a mistyped command" $?
doctor=$("$cris" doctor)
grep -q "^cuda .*no CUDA" <<<"$doctor" && refuses "a device that is not there" 2 "no CUDA" "$cris" train --data good --device cuda -o run
"$cris" bench --device cuda --plan --precision bf16 --base 8 --size 64 | grep -c '^step: [0-9.]* ms$' | grep -q '^2$'
verdict "bench --plan needs no device" $?
refuses "  but tensor cores" 2 "choose --precision bf16 or tf32" "$cris" bench --device cuda --plan --precision f32
refuses "  and a step to estimate" 2 "leave infer away" "$cris" bench infer --device cuda --plan --precision bf16
refuses "more than the memory holds" 2 "not enough memory" "$cris" train --data good --size 32768 --batch 8 -o run
if grep -q "code for .*the emulator" <<<"$doctor"; then
  small=(env CRIS_EMULATOR_MEMORY_MB=110 "$cris")
  refuses "a machine without a device" 2 "no CUDA device is usable" env CRIS_EMULATOR_NO_DEVICE=1 "$cris" train --data good --device cuda -o run
  refuses "  for parity, once" 2 "no CUDA device is usable" env CRIS_EMULATOR_NO_DEVICE=1 "$cris" parity good --device cuda
  for model in "f32 --base 8" "tf32 --base 16" "bf16 --base 16"; do
    # shellcheck disable=SC2086
    refuses "more than the device holds, $model" 2 "and fits in" "${small[@]}" train --data good --device cuda --size 128 --batch 8 -o run --precision $model
  done
  refuses "  nor more than it may take of it" 2 "and fits in" env CRIS_CUDA_MEMORY_MB=100 "$cris" train --data good --device cuda --base 16 --size 128 --batch 8 -o run
  refuses "  which is a number" 3 "CRIS_CUDA_MEMORY_MB is \"much\"" env CRIS_CUDA_MEMORY_MB=much "$cris" train --data good --device cuda -o run
  refuses "  of which it holds not even one image" 2 "not even one image fits" "${small[@]}" train --data good --device cuda --base 64 --size 256 -o run
  refuses "more than the device holds, to predict" 2 "to predict" "${small[@]}" bench infer --device cuda --base 16 --size 256 --batch 4
fi
refuses "a part that is none" 2 "nonsense" "$cris" eval run --on nonsense
absent "none of these left a run directory behind" run

train --data good --base 8 --base 4 --threads 1 >/dev/null 2>&1 && grep -q "^base = 4" run/config.resolved.toml
verdict "the good set trains; of a flag that is given twice the last counts" $?
broken named_z && for part in images masks; do mv "named_z/$part/$first" "named_z/$part/[test 1].png"; done
train --data named_z/ -o named >/dev/null && "$cris" eval named --json >/dev/null && train --data named_z -o named >/dev/null
verdict "names that look like a split's headings; a slash after the folder" $?
refuses "fewer epochs than were trained" 2 "has trained 2 epochs" train --data good --epochs 1
rm named_z/*/0002.png
refuses "an image that is gone since the run began" 3 "the split changed" train --data named_z -o named --epochs 4
for text in '{"chosen_on_training_set": 1}' '{}' 'null' "$(printf '[%.0s' $(seq 100000))"; do
  rm -rf spoilt && cp -r run spoilt && printf '%s' "$text" >spoilt/evaluation.json
  refuses "a report of a damaged run" 3 "spoilt" "$cris" report spoilt -o spoilt.html
  refuses "a prediction by a damaged run" 3 "evaluation.json is damaged" "$cris" predict spoilt "good/images/$first" -o out
done
# spoil: a run that stopped after two of four epochs, to be spoilt.
spoil() { rm -rf spoilt && cp -r run spoilt && rm spoilt/SHA256SUMS; }
again() { train --data good --epochs 4 -o spoilt; }
spoil && sed -i '1s/loss/lost/' spoilt/metrics.jsonl
refuses "a changed metrics.jsonl" 3 "spoilt/metrics.jsonl: its first" again
spoil && sed -i '2s/^1,/x,/' spoilt/epochs.csv
refuses "a changed epochs.csv" 3 "spoilt/epochs.csv: line 2 is damaged; restore the file" again
spoil && sed -i '2s/0\./1./' spoilt/epochs.csv
refuses "another number in epochs.csv" 3 "spoilt/epochs.csv: its first" again
spoil && printf 'junk\nmore junk\n\n\n' >>spoilt/epochs.csv
refuses "junk after epochs.csv" 3 "spoilt/epochs.csv: line 4 is damaged; restore the file" again
rm -rf spoilt && cp -r run spoilt && printf 'junk\nmore junk\n\n\n' >>spoilt/epochs.csv
refuses "  of a complete run" 3 "spoilt/epochs.csv: line 4 is damaged" train --data good -o spoilt
refuses "  for the report" 3 "spoilt/epochs.csv: line 4 is damaged" "$cris" report spoilt -o spoilt.html
for file in curves.csv per_image.csv; do
  rm -rf spoilt && cp -r run spoilt && sed -i '2s/,/,x/g' "spoilt/$file"
  refuses "a damaged $file" 3 "spoilt/$file: line 2 is damaged; remove spoilt/SHA256SUMS" "$cris" report spoilt -o spoilt.html
  truncate -s -3 "spoilt/$file" && sed -i '2s/,x/,/g' "spoilt/$file"
  refuses "a $file that is cut off" 3 "has no end" "$cris" report spoilt -o spoilt.html
  rm spoilt/SHA256SUMS && train --data good -o spoilt >/dev/null && cmp -s "spoilt/$file" "run/$file" && "$cris" report spoilt -o spoilt.html >/dev/null
  verdict "  the remedy helps" $?
done
rm -rf spoilt && cp -r run spoilt && sed -i '$d' spoilt/per_image.csv
refuses "a per_image.csv that lacks an image" 3 "per_image.csv: has 1 images, and the run 2" "$cris" report spoilt -o spoilt.html
spoil && rm spoilt/metrics.jsonl && mkfifo spoilt/metrics.jsonl
refuses "a pipe for metrics.jsonl" 3 "spoilt/metrics.jsonl: is not a regular file" again
# Every reader refuses a file that is not a regular one: a pipe, once opened, would wait for ever.
for other in pipe device; do
  put() { rm -rf "$1" && if [ $other = pipe ]; then mkfifo "$1"; else ln -s /dev/null "$1"; fi; }
  reads() { refuses "a $other for $1" "$2" "$3: it is a device, a pipe or a socket; name a file" timeout 60 "${@:4}"; }
  put odd
  reads "a configuration" 2 "odd" "$cris" train --data good -c odd
  reads "a split" 3 "odd" "$cris" train --data good --size 32 --set data.split=odd -o none
  reads "an image to predict" 3 "odd" "$cris" predict run odd -o out
  reads "an image of crf" 3 "odd" "$cris" crf odd --labels odd -o none.png
  for file in manifest.json epochs.csv split.txt; do
    spoil && put "spoilt/$file"
    reads "$file" 3 "spoilt/$file" "$cris" train --data good --base 4 --size 32 --epochs 4 --batch 2 -o spoilt --set train.strategy=backbone
  done
  for file in evaluation.json manifest.json curves.csv config.resolved.toml; do
    rm -rf spoilt && cp -r run spoilt && put "spoilt/$file"
    code=3 && [ $file != config.resolved.toml ] || code=2
    reads "$file of a report" $code "spoilt/$file" "$cris" report spoilt -o spoilt.html
  done
  rm -rf spoilt && cp -r run spoilt && put spoilt/checkpoints/best.safetensors
  reads "a checkpoint" 3 "best.safetensors" "$cris" predict spoilt good -o out
  rm -rf spoilt && cp -r run spoilt && put spoilt/epochs.csv
  timeout 60 "$cris" verify spoilt | grep -q "^FAILED  epochs.csv: cannot read"
  verdict "verify goes on after a $other" $?
done
absent "  and nothing was written" none none.png out
spoil && truncate -s 1000 spoilt/checkpoints/best.safetensors
refuses "a damaged best checkpoint of a run that goes on" 3 "best.safetensors is damaged" again
[ "$(wc -l <spoilt/epochs.csv)" -eq 3 ]
verdict "  before any more is trained" $?
spoil && rm spoilt/manifest.json
refuses "a checkpoint without its manifest" 3 "manifest.json is missing" again
spoil && cp spoilt/checkpoints/best.safetensors spoilt/checkpoints/last.safetensors
refuses "a checkpoint without a position" 3 "last.safetensors: is not a training checkpoint (its position in a run: there is none" again
spoil && printf '{"data_sha256": 1}' >spoilt/manifest.json
refuses "a damaged manifest of a run that goes on" 3 "manifest.json is damaged" again
rm -rf spoilt && cp -r run spoilt && printf '[train]\nepoch = 1\n' >spoilt/config.resolved.toml
ends "verify of a damaged configuration: exit code 5" 5 "$cris" verify spoilt
best=run/checkpoints/best.safetensors
rm -rf cut && cp -r run cut && head -c 9000 "$best" >cut/checkpoints/best.safetensors
refuses "a checkpoint that is cut off" 3 "best.safetensors" "$cris" predict cut good -o out
absent "  and nothing was written" out
rm -rf other && cp -r run other && sed -i 's/^base = 4/base = 8/' other/config.resolved.toml
refuses "a checkpoint of another model" 3 "best.safetensors" "$cris" predict other good -o out
refuses "no run directory" 3 "not a run directory" "$cris" eval good

# Without the checksum, as other programs write a checkpoint.
rm -rf nan && cp -r run nan && python3 - nan/checkpoints/best.safetensors <<'PY'
import json, struct, sys
data = open(sys.argv[1], 'rb').read()
size = struct.unpack('<Q', data[:8])[0]
header, body = json.loads(data[8:8 + size]), bytearray(data[8 + size:])
header.pop('__metadata__')
begin = header['backbone.head.weight']['data_offsets'][0]
body[begin:begin + 4] = struct.pack('<f', float('nan'))
text = json.dumps(header).encode()
open(sys.argv[1], 'wb').write(struct.pack('<Q', len(text)) + text + body)
PY
refuses "NaN in the weights" 4 "backbone.head.weight" "$cris" predict nan good -o out
train --data good --lr 1e30 -o diverges >/dev/null 2>stderr.txt
[ $? -eq 4 ] && grep -q "layer\|gradient\|weights" stderr.txt && ls diverges/nonfinite/*.safetensors >/dev/null
verdict "a training that diverges: exit code 4, names the place, keeps the tensors" $?
train --data good --lr 1e39 --set train.checkpoint_steps=1 -o poisoned >/dev/null 2>stderr.txt
[ $? -eq 4 ] && grep -q "weights" stderr.txt && [ ! -e poisoned/checkpoints/last.safetensors ]
verdict "weights that are not finite never become a checkpoint" $?

broken black && for mask in black/masks/*; do draw "$mask" 40 40 0; done
refuses "an all-black mask set" 3 "black/masks/" "$cris" train --data black --base 4 --size 32 --strategy backbone -o black_run
broken dim && draw "dim/masks/$first" 40 40 'x % 2'
refuses "a mask of 0 and 1 among others" 3 "dim/masks/$first is not black, yet no pixel of it counts as polyp: its values go up to 1, and polyps begin at 128" "$cris" train --data dim --base 4 --size 32 --strategy backbone -o dim_run
refuses "  shrunk with its set" 3 "dim/masks/$first is not black" "$cris" data prepare dim -o dim_small --size 32
absent "  and nothing was written" black_run dim_run dim_small
for set in black dim; do ends "  and cris data check of $set fails: exit code 3" 3 "$cris" data check $set; done
grep -q "^  dim/masks/$first is not black" stdout.txt
verdict "  and names the mask" $?

refuses "a report into a folder that is missing" 3 "nowhere/report.html" "$cris" report run -o nowhere/report.html
if mkdir tiny && mount -t tmpfs -o size=200k tmpfs tiny 2>/dev/null; then
  train --data good -o tiny/run >/dev/null 2>stderr.txt
  [ $? -eq 3 ] && [ "$(grep -c '^cris: ' stderr.txt)" -eq 1 ] && grep -qi "space" stderr.txt && ! ls -R tiny | grep -q partial
  verdict "a full disk: one line, nothing half-written" $?
  refuses "a full disk while a set is made" 3 "space" "$cris" data synthesize tiny/set --count 200 --size 64
  absent "  and nothing was written" tiny/set
  umount tiny

  # Each picture takes a page of 4 KiB, each image two: five images fit.
  mount -t tmpfs -o size=40k tmpfs tiny
  refuses "a disk that fills while pictures are predicted" 3 "left on device; free some space or choose another disk. tiny holds the results of 5 of 12 images" "$cris" predict run good -o tiny
  [ "$(ls tiny/masks)" = "$(ls good/masks | head -n 5)" ] && [ "$(ls tiny/probability)" = "$(ls tiny/masks)" ] && "$cris" crf good/images/0001.png --probability tiny/probability/0001.png -o whole.png
  verdict "  every picture is whole or absent" $?
  umount tiny
  mount -t tmpfs -o size=16k tmpfs tiny
  refuses "a disk that fills while pictures are refined" 3 "tiny/out holds the results of 4 of 12 images" "$cris" crf good/images --probability good/masks -o tiny/out
  [ "$(ls tiny/out)" = "$(ls good/masks | head -n 4)" ]
  verdict "  every picture is whole or absent here too" $?
  umount tiny

  rm -rf run/eval-* && mount -t tmpfs -o size=$(($(du -sk run | cut -f1) + 8))k tmpfs tiny
  cp -r run tiny/run
  refuses "a disk that fills while a run is evaluated" 3 "space" "$cris" eval tiny/run
  absent "  and nothing was written" tiny/run/eval-test-best
  mkdir -p tiny/run/eval-test-best/overlays && echo old | tee tiny/run/eval-test-best/overlays/old.png >tiny/run/eval-test-best/evaluation.json
  refuses "a disk that fills while a run is evaluated again" 3 "space" "$cris" eval tiny/run
  [ "$(find tiny/run/eval-test-best -type f | wc -l)" -eq 2 ] && [ "$(cat tiny/run/eval-test-best/evaluation.json)" = old ]
  verdict "  and the evaluation before stays" $?
  umount tiny
else
  echo "skipped a full disk: mounting needs root"
fi
if [ "$(id -u)" -ne 0 ]; then
  mkdir locked && chmod 500 locked
  refuses "no permission to write" 3 "ermission" train --data good -o locked/run
else
  # Root may write anywhere but here.
  refuses "a place where nothing can be written" 3 "/proc/run" "$cris" train --data good --base 4 --size 32 -o /proc/run
  chmod 755 . && mkdir locked
  as_nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$@"; }
  if as_nobody "$cris" --version >/dev/null 2>&1; then
    refuses "no permission to write" 3 "ermission" as_nobody "$cris" train --data good --base 4 --size 32 -o locked/run
    refuses "no permission to evaluate" 3 "ermission" as_nobody "$cris" eval run
    chmod 000 "good/images/$first"
    mkdir open && chmod 777 open
    refuses "an image that may not be read" 3 "$first: Permission denied" as_nobody "$cris" predict run good -o open/out
  else
    echo "skipped no permission to write: root may write everywhere, and nobody else may run the program here"
  fi
fi
finish
