#!/usr/bin/env bash
# cris score: masks and maps of any program; cris eval of another data set, and the maps that it saves.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize data --count 16 --size 32 --seed 5 >/dev/null && "$cris" data synthesize other --count 4 --size 32 --seed 6 >/dev/null &&
  "$cris" train --data data --size 32 --base 2 --epochs 1 -o run >/dev/null || { echo "FAILED to train"; exit 1; }

"$cris" score data/masks data --json >same.json && grep -q '"images":16,.*"mean":{"dice":1.0,"precision":1.0' same.json
verdict "the true masks score 1" $?
"$cris" eval run --save-maps maps -o evaluation >/dev/null && mkdir truth && for f in maps/*_mask.npy; do mv "$f" "truth/$(basename "${f%_mask.npy}").npy"; done &&
  threshold=$(sed -n '/"measures"/,$s/.*"threshold": \([0-9.]*\),/\1/p' evaluation/evaluation.json | head -n 1) &&
  "$cris" score maps truth --threshold "$threshold" -o scores >scores.txt && cmp scores/per_image.csv evaluation/per_image.csv && cmp scores/precision_recall.csv evaluation/precision_recall.csv
verdict "maps that eval saved score as eval scored them" $?
[ -s scores/score.html ] && ! grep -qE '.{81}' scores.txt && grep -q '^Dice  ' scores.txt && "$cris" score maps truth -o scores >/dev/null
verdict "  as a page, a table of 80 columns, and again over the old scores" $?
refuses "a folder that holds other files is not written" 3 "holds files that cris score did not make" "$cris" score maps truth -o data
rm "maps/$(ls maps | head -n 1)"
refuses "a mask without a map is named" 3 "no map of that name" "$cris" score maps truth
"$cris" data prepare data -o large --size 48 >/dev/null
refuses "a map that is larger than its mask is named" 3 "resize the map to its mask" "$cris" score large/masks data

"$cris" eval run --on all --data other -o elsewhere >eval.txt && grep -q '^the whole set, 4 images' eval.txt && ! grep -q '"training_set"' elsewhere/evaluation.json
verdict "eval of another data set scores every pair, at the run's own threshold" $?
refuses "  but not of images that the run saw" 3 "images of it trained" "$cris" eval run --on all --data data -o again
refuses "  and it must be named" 2 "name it by --data" "$cris" eval run --on all
refuses "a map of 12 bits in 16" 3 "of 16 bits used" "$cris" score "$tests/data/pictures/faint12.tif" "$tests/data/pictures/faint12.tif"
"$cris" score data/masks data/images >/dev/null 2>told.txt; grep -q 'warning: photographs instead of masks: 16 of 16.*data/images the right folder' told.txt &&
  "$cris" score data/masks data/masks >/dev/null 2>told.txt; ! grep -q photographs told.txt
verdict "photographs in the place of masks are said" $?
mkdir one other_one && cp "data/masks/$(ls data/masks | head -n 1)" one/seven.png && cp one/seven.png other_one/nine.png
refuses "folders of one file of two names" 3 "no map of that name" "$cris" score one other_one
ends "  two files need not share a name" 0 "$cris" score one/seven.png other_one/nine.png
refuses "a threshold that is no number" 2 "--threshold" "$cris" score one/seven.png other_one/nine.png --threshold nan
finish
