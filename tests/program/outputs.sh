#!/usr/bin/env bash
# Nothing of the user's is overwritten: outputs against inputs, data sets, runs, and files that cris did not make; and one
# command at a time in a folder.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize good --count 12 --size 40 --seed 5 >/dev/null && "$cris" train --data good --base 4 --size 32 --epochs 1 --batch 4 --strategy backbone --threads 1 -o run >/dev/null || { echo "FAILED train"; exit 1; }
sums() { find "$@" -type f | sort | xargs sha256sum; }
sums good run >before.txt
# keeps NAME CODE TEXT COMMAND...: refused, and no file of the data or the run was touched, nor one added.
keeps() {
  refuses "$@"
  sums good run | cmp -s - before.txt
  verdict "  and nothing was written" $?
}

keeps "predict over the data's masks" 3 "masks/ of the data set" "$cris" predict run good -o good
ln -s good link
keeps "  by a link" 3 "masks/ of the data set" "$cris" predict run good/images -o link
keeps "  from within" 3 "masks/ of the data set" env -C good "$cris" predict ../run images -o .
keeps "predict with its overlays into a run" 3 "one of the files of the run" "$cris" predict run good -o run --overlay
absent "  nor folders" run/masks
keeps "predict to a picture" 2 "name a folder" "$cris" predict run good/images/0001.png -o mask.png
keeps "crf over its label map" 3 "masks/ of the data set" "$cris" crf good/images/0001.png --probability good/masks/0001.png -o good/masks/0001.png
cp good/masks/0001.png map.png
ln map.png hard.png
refuses "  by a hard link" 3 "is read by this command (as map.png)" "$cris" crf good/images/0001.png --probability map.png -o hard.png
refuses "crf: two results in one file" 3 "written twice" "$cris" crf good/images/0001.png --probability map.png -o x.png --probability-output ./x.png
refuses "crf to a JPEG" 2 "ends in .png" "$cris" crf good/images/0001.png --probability map.png -o x.jpg
keeps "crf of folders into one of them" 3 "of the data set" "$cris" crf good/images --probability good/masks -o good/masks
mkdir maps && cp good/masks/* maps
refuses "  that is not a data set" 3 "is read by this command" "$cris" crf good/images --probability maps -o maps
for file in evaluation.json SHA256SUMS log.txt overlays/page.html; do keeps "report over the run's $file" 3 "one of the files of the run" "$cris" report run -o "run/$file"; done
keeps "a split over an image" 3 "images/ of the data set" "$cris" data split good -o good/images/0001.png
keeps "a set over itself" 3 "" "$cris" data prepare good -o good --size 32
keeps "  in its images" 3 "images/ of the data set" "$cris" data prepare good -o good/images --size 32
keeps "  by a link" 3 "" "$cris" data prepare good -o link --size 32
keeps "a run in a data set's masks" 3 "masks/ of the data set" "$cris" train --data good --base 4 --size 32 --strategy backbone -o good/masks/run
keeps "an evaluation over the data" 3 "did not make" "$cris" eval run -o good
keeps "  over the run itself" 3 "did not make" "$cris" eval run -o run
"$cris" data synthesize large --count 1 --size 1024 --seed 1 >/dev/null
refuses_within 300000 "crf: a picture that needs more memory than there is" 2 "labels need about 385.9 MB of memory" "$cris" crf large/images/0000.png --labels large/masks/0000.png --black-is-label -o x.png --threads 1

# A person's own files, which cris did not make.
own() { rm -rf mine && mkdir -p mine/masks mine/images && printf 'a photograph' | tee mine/masks/0001.png mine/images/0001.png mine/page.html mine/split.txt mine/epochs.csv >mine/picture.png; sums mine >mine.txt; }
spares() {
  own
  [ -z "${without:-}" ] || { rm -r "$without"; sums mine >mine.txt; }
  refuses "$@"
  sums mine | cmp -s - mine.txt
  verdict "  and it stays" $?
}
refuses "a page under a picture's name" 2 "ends in .html" "$cris" report run -o report.png
refuses "  the paper's too" 2 "ends in .html" "$cris" paper --kvasir run -o paper.pdf
spares "a journal over somebody's notes" 3 "not part of a journal" "$cris" tune --data good --base 2 --size 32 --epochs 2 --threads 1 --trials 1 -o tuned --study mine/split.txt
mkdir paper && echo mine | tee paper/results.tex >paper/main.tex
refuses "tables of a report over somebody's" 3 "is not as a report wrote it" "$cris" report run -o tables.html --tables paper
[ "$(cat paper/results.tex)" = mine ] && [ ! -e tables.html ]
verdict "  which stay, and no page is written" $?
"$cris" report run -o tables.html --tables tables >/dev/null && "$cris" report run -o tables.html --tables tables >/dev/null && (cd tables && sha256sum --quiet -c SHA256SUMS)
verdict "  over its own they go, listed with their hashes" $?
mkdir -p with-git/.git && echo mine | tee with-git/.gitkeep >with-git/.git/HEAD
"$cris" report run -o tables.html --tables with-git >/dev/null && "$cris" report run -o tables.html --tables with-git >/dev/null && [ "$(cat with-git/.gitkeep with-git/.git/HEAD with-git/results.csv | grep -c '^mine$')" = 2 ]
verdict "  and beside hidden files, which stay" $?
echo mine >>tables/results.csv
refuses "  unless somebody changed them" 3 "results.csv is not as a report wrote it" "$cris" report run -o tables.html --tables tables
keeps "  nor into a data set" 3 "masks/ of the data set" "$cris" report run -o tables.html --tables good/masks/tables
for name in evaluation.json score.json; do mkdir "of_$name" && echo '{"mine": 1}' >"of_$name/$name"; done
refuses "an evaluation over another evaluation.json" 3 "did not make" "$cris" eval run -o of_evaluation.json
refuses "scores over another score.json" 3 "did not make" "$cris" score good/masks good -o of_score.json
[ "$(cat of_*/*.json | sort -u)" = '{"mine": 1}' ]
verdict "  which stay" $?
keeps "a journal in a data set's images" 3 "images/ of the data set" "$cris" tune --data good --base 2 --size 32 --epochs 2 --threads 1 --trials 1 -o tuned --study good/images/journal
mkdir pages && echo precious >pages/cris.1
refuses "manual pages over somebody's page" 3 "cris did not make it" "$cris" man pages
"$cris" man manual && "$cris" man manual && [ "$(cat pages/*)" = precious ] && [ "$(ls manual | wc -l)" -gt 20 ]
verdict "  which stays; over their own they go" $?
"$cris" data split good -o by_hand.txt >/dev/null && sed -i 's/^\(# .*\)/\1 changed/; $s/$/ /' by_hand.txt && cp by_hand.txt by_hand.bak
refuses "a split over one that somebody edited" 3 "cris did not make it" "$cris" data split good --seed 3 -o by_hand.txt
cmp -s by_hand.txt by_hand.bak
verdict "  which stays" $?
for command in "predict run good -o" "eval run -o" "report run -o" "crf good/images --probability maps -o" "data split good -o" "data synthesize" "export run -o" "train --data good -o"; do
  # shellcheck disable=SC2086
  keeps "an empty name: cris $command ''" 2 "its value is empty" "$cris" $command ""
done
without=mine/images
spares "predict over a person's picture" 3 "mine/masks/0001.png is there, and cris did not make it" "$cris" predict run good -o mine
without=
spares "crf over it" 3 "cris did not make it" "$cris" crf good/images/0001.png --probability map.png -o mine/picture.png
spares "a report over a page" 3 "cris did not make it" "$cris" report run -o mine/page.html
spares "the paper's page too" 3 "cris did not make it" "$cris" paper --kvasir run -o mine/page.html
spares "a split over a text" 3 "cris did not make it" "$cris" data split good -o mine/split.txt
spares "a synthetic set over pictures" 3 "cris did not make it" "$cris" data synthesize mine --count 2 --size 32
spares "a prepared set over pictures" 3 "cris did not make it" "$cris" data prepare good -o mine --size 32
spares "a run over an epochs.csv and a split" 3 "is there, and would be replaced" "$cris" train --data good --base 4 --size 32 --strategy backbone --epochs 1 -o mine
# What cris made is made again.
for _ in 1 2; do
  "$cris" predict run good -o out --overlay >/dev/null && "$cris" report run -o page.html >/dev/null && "$cris" data split good -o split.txt >/dev/null &&
    "$cris" crf good/images/0001.png --probability map.png -o refined.png && "$cris" crf good/images --probability maps -o refined >/dev/null &&
    "$cris" data prepare good -o small --size 32 >/dev/null && "$cris" data synthesize made --count 3 --size 32 >/dev/null && "$cris" eval run -o other >/dev/null && "$cris" eval run >/dev/null
done
verdict "every result is made twice in one place" $?
printf corrected >out/masks/0003.png
refuses "  but not over a mask that a person corrected" 3 "out/masks/0003.png is there, and cris did not make it" "$cris" predict run good -o out
mkdir -p other/notes && echo mine >other/notes/draft.txt && echo mine >small/README
"$cris" eval run -o other >/dev/null && "$cris" data prepare good -o small --size 48 >/dev/null && [ "$(cat other/notes/draft.txt small/README)" = "mine
mine" ] && ! find . -name '*.partial' -o -name '.*cris.lock' | grep -q .
verdict "files of others stay in a folder that is made again; no lock is left" $?
(cd small && "$cris" data prepare ../good -o . --size 32 >/dev/null) && [ -s small/images/0001.png ] && [ "$(cat small/README)" = mine ]
verdict "  also from within" $?

# Two at once: one works, the other says so, and the result is that of one.
"$cris" data synthesize many --count 200 --size 64 --seed 2 >/dev/null
together() {  # together NAME FIRST SECOND (commands as texts): sets first, second to their exit codes
  bash -c "$2" >a.txt 2>&1 & local a=$!
  bash -c "$3" >b.txt 2>&1 & local b=$!
  first=0 second=0
  wait $a || first=$?
  wait $b || second=$?
  [ $((first + second)) -eq 3 ] || [ $((first + second)) -eq 0 ]
  verdict "$1 at once: exit codes $first $second" $?
  [ $((first + second)) -eq 0 ] || grep -q "the folder is in use" a.txt b.txt
  verdict "  the refused one names the reason" $?
}
export cris
together "two of data prepare" "$cris data prepare many -o pq --size 48" "$cris data prepare many -o pq --size 64"
[ "$(find pq -name '*.png' -exec od -An -tu1 -j19 -N1 {} \; | sort -u | wc -l)" -eq 1 ] && [ "$(find pq -type f | wc -l)" -eq 400 ]
verdict "  no mixture" $?
together "two of predict" "$cris predict run many -o both --threshold 0.1" "$cris predict run many -o both --threshold 0.9"
together "two of crf" "$cris crf many/images --probability many/masks -o sharp --iterations 1" "$cris crf many/images --probability many/masks -o sharp --iterations 1"
together "two of eval" "$cris eval run --on train" "$cris eval run --on train"
ls run/eval-train-best/overlays | wc -l | grep -qx 8
verdict "  one whole evaluation" $?
signalled KILL killed/masks/0000.png "$cris" predict run good -o killed 2>/dev/null
: >"killed/masks/0000.png.1-1.partial"
"$cris" predict run good -o killed >/dev/null && [ "$(find killed -type f | wc -l)" -eq 26 ]
verdict "what a killed command left half-written is removed by the next" $?
finish
