#!/usr/bin/env bash
# Models that leave for other programs and come from them: ONNX, PyTorch, bare safetensors; and data sets as people have them.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize data --count 16 --size 32 --seed 5 >/dev/null 2>&1 || { echo "FAILED synthesize"; exit 1; }
train() { "$cris" train --data data --size 32 --base 2 --epochs 1 --threads 1 "$@" >/dev/null 2>&1; }
train --strategy fcn -o unet && train --backbone unet++ --strategy crf -o unet++ && train --backbone segnet --strategy backbone -o segnet || { echo "FAILED train"; exit 1; }

if "$cris" export unet -o unet.onnx >said.txt 2>told.txt; then
  grep -q '^unet.onnx: unet base 2 with its refiner, opset 17$' said.txt && "$cris" export unet -o unet.onnx >/dev/null 2>&1
  verdict "export writes a model, and again over it" $?
  "$cris" export unet++ -o unet++.onnx 2>/dev/null | grep -q '^The CRF is not in it' && "$cris" export segnet -o segnet.onnx >/dev/null 2>&1
  verdict "  of all networks; that a CRF is left out is said" $?
  refuses "  to a name of another kind" 2 "ends in .onnx" "$cris" export unet -o unet.pb
  echo mine >mine.onnx
  refuses "  not over a person's file" 3 "cris did not make it" "$cris" export unet -o mine.onnx
  if command -v protoc >/dev/null && [ -e /usr/include/onnx/onnx.proto ]; then
    operators() { protoc --decode=onnx.ModelProto -I /usr/include onnx/onnx.proto <"$1" | sed -n 's/^ *op_type: "\(.*\)"/\1/p' | sort | uniq -c | tr -s ' \n' ' '; }
    [ "$(operators unet.onnx)" = " 18 BatchNormalization 4 Concat 23 Conv 4 ConvTranspose 4 MaxPool 21 Relu 2 Sigmoid " ]
    verdict "  with the operators of a U-Net and its refiner" $?
    [ "$(operators unet++.onnx)" = " 30 BatchNormalization 10 Concat 31 Conv 4 MaxPool 30 Relu 10 Resize 1 Sigmoid " ]
    verdict "  of a UNet++" $?
    operators segnet.onnx | grep -q ' 5 DepthToSpace .* 5 MaxPool .* 20 Slice 20 Where '
    verdict "  of a SegNet" $?
  fi
else
  tail -n 1 told.txt | grep -q 'libonnx-dev'
  verdict "a program without ONNX says what to install" $?
fi

if python3 -c 'import torch, safetensors, PIL' 2>/dev/null; then
  for run in unet unet++ segnet; do
    "$cris" predict $run data -o out-$run --save-maps >/dev/null 2>&1 && python3 "$tests/../tools/load_in_pytorch.py" $run data/images/*.png -o torch-$run &&
      python3 - $run <<'PY'
import glob, os, sys, numpy as np
run = sys.argv[1]
pairs = [(np.load(f), np.load(f"torch-{run}/" + os.path.basename(f))) for f in glob.glob(f"out-{run}/maps/*.npy")]
assert len(pairs) == 16 and (run == "unet++" or max(abs(a - b).max() for a, b in pairs) < 1e-4)  # its CRF is not in PyTorch
PY
    verdict "load_in_pytorch.py computes the maps of $run" $?
  done
else
  echo "skipped PyTorch: it is not installed"
fi

train --backbone segnet --strategy fcn --init segnet --freeze backbone -o again && grep -q 'begins with' again/log.txt && grep -q 'as drawn: refiner.expand.weight' again/log.txt && grep -q '"start_from"' again/manifest.json
verdict "--init and --freeze: a second piece behind another run's" $?
refuses "  and refuses what fits nowhere" 3 "interop.md" "$cris" train --data data --size 32 --base 2 --backbone segnet --init unet -o none

# Masks elsewhere, with a suffix, of 0 and 1; together with the images.
mkdir -p odd/labels together && cp data/images/* odd && cp data/images/* together && for f in data/masks/*; do cp "$f" "odd/labels/$(basename "${f%.png}")_mask.png"; cp "$f" "together/$(basename "${f%.png}")_mask.png"; done
"$cris" data check data --json >plain.json && "$cris" data check odd --masks labels --mask-suffix _mask --json >odd.json && "$cris" data check together --masks . --mask-suffix _mask --json >together.json &&
  fingerprint() { grep -o '"fingerprint":"[^"]*"' "$1"; } && [ "$(fingerprint plain.json)" = "$(fingerprint odd.json)" ] && [ "$(fingerprint plain.json)" = "$(fingerprint together.json)" ]
verdict "masks in another folder, with a suffix, beside the images: the same data" $?
"$cris" data prepare together --masks . --mask-suffix _mask --size 32 -o plain >/dev/null 2>&1 && diff -r plain/masks data/masks >/dev/null
verdict "  which data prepare makes plain" $?
train --strategy backbone -o here && "$cris" train --data odd --masks labels --mask-suffix _mask --size 32 --base 2 --epochs 1 --threads 1 --strategy backbone -o there >/dev/null 2>&1 && same "  a training on them is the same" here there epochs.csv metrics.jsonl per_image.csv && "$cris" verify there >/dev/null
verdict "  and can be verified" $?
refuses "a suffix that fits no mask" 3 "has no mask" "$cris" train --data odd --masks labels --mask-suffix _x -o none
refuses "masks that are nowhere" 3 "--masks nowhere" "$cris" data check odd --masks nowhere
refuses "values that are none" 3 "two values" "$cris" data check data --mask-values 0
refuses "values that the masks do not have" 3 "value 255, and by --mask-values" "$cris" train --data data --mask-values 0,1 -o nothing
"$cris" data check data --mask-values 0,255 --json | grep -q '"refused":\[\]'
verdict "values that they have" $?
printf GIF89a >odd/film.gif && "$cris" data check odd --masks labels --mask-suffix _mask | grep -q '^passed over  *1: .*film.gif'
verdict "a GIF is counted and named" $?

# Splits.
"$cris" data split data -o split.txt --seed 1 >/dev/null && train --strategy backbone --set data.split=split.txt -o by_split && "$cris" eval by_split --json >before.json
for change in "$cris data split data -o split.txt --seed 2" "rm split.txt"; do
  $change >/dev/null && "$cris" eval by_split --json | cmp -s - before.json
  verdict "a run keeps the split that it was trained with, whatever has become of the file: $change" $?
done
"$cris" data split data --folds 4 -o fold.txt >/dev/null 2>&1 && for f in fold-?.txt; do sed '1,/^\[test/d' "$f"; done | sort | uniq -c | awk '$1 != 1 { bad = 1 } END { exit bad || NR != 16 }'
verdict "four folds test every image once" $?
ls data/images | head -n 10 | sed 's/.png//' >train.list && ls data/images | tail -n 3 >test.list
"$cris" data split data --train-list train.list --test-list test.list -o lists.txt 2>/dev/null | grep -q 'training 8, validation 2, test 3'
verdict "lists of names make a split" $?
"$cris" data split data --train-list train.list -o rest.txt 2>/dev/null | grep -q 'training 8, validation 2, test 6' && "$cris" data check data --split rest.txt >/dev/null
verdict "  the rest tests" $?
"$cris" data synthesize other --count 40 --size 32 >/dev/null 2>&1 && "$cris" data split other -o other.txt >/dev/null 2>&1
refuses "a split of another set" 3 "are not in data" "$cris" data check data --split other.txt
(printf '\xef\xbb\xbf'; sed 's/^/ images\\/; s/$/.png\t\r/' train.list) >windows.list
"$cris" data split data --train-list windows.list --test-list test.list -o windows.txt >/dev/null 2>&1 && cmp -s <(sed 1,3d lists.txt) <(sed 1,3d windows.txt)
verdict "  with a byte order mark, blanks and backslashes too" $?
iconv -f UTF-8 -t UTF-16 train.list >wide.list 2>/dev/null || printf '\xff\xfea\0\n\0' >wide.list
refuses "a list in UTF-16" 3 "wide.list:1: a control character, or not UTF-8" "$cris" data split data --train-list wide.list -o none.txt
echo nobody >>train.list
refuses "a list of another set" 3 'names "nobody"' "$cris" data split data --train-list train.list -o none.txt

# Help, completions, manual pages.
status=0
for command in $("$cris" --help | sed -n '/^Commands/,/^$/s/^  \([a-z]\{1,\}\) .*/\1/p'); do
  "$cris" "$command" --help >help.txt && ! grep -q '.\{81\}' help.txt && grep -q "^  cris $command" help.txt || { [ "$command" = data ] || [ "$command" = study ] || { echo "help of $command"; status=1; }; }
done
verdict "every command's help has an example and fits 80 columns" "$status"
"$cris" train --help | tr -s ' \n' ' ' | grep -q -- '--backbone TEXT the network (model.backbone) \[unet, unet++, segnet; default unet\]'
verdict "  with choices and defaults" $?
"$cris" complete bash >cris.bash && bash -n cris.bash && source cris.bash &&
  completed() { COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=() && _cris && echo "${COMPREPLY[*]}"; } &&
  [ "$(completed cris pre)" = predict ] && [ "$(completed cris data ch)" = check ] && [ "$(completed cris train --backbone s)" = segnet ] && [ "$(completed cris predict run --skip)" = --skip-bad ]
verdict "bash completes commands, flags and choices" $?
"$cris" complete zsh | grep -q '^#compdef cris' && "$cris" complete fish | grep -q "complete -c cris"
verdict "zsh and fish have theirs" $?
"$cris" man pages && [ -s pages/cris-data-check.1 ] && grep -q '^\.TH' pages/cris.1 && grep -q 'skip\\-bad' pages/cris-predict.1 && ! grep -h '^\.' pages/*.1 | grep -qvE '^\.(TH|SH|TP|B|PP)( |$)'
verdict "manual pages" $?
finish
