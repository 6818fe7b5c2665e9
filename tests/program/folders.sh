#!/usr/bin/env bash
# predict, crf and score of whole folders: what they find, bad files, signals.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize data --count 24 --size 40 --seed 5 >/dev/null 2>&1 && "$cris" train --data data --base 2 --size 32 --epochs 1 --strategy backbone --threads 1 -o run >/dev/null 2>&1 || { echo "FAILED train"; exit 1; }

"$cris" predict run data -o out --threshold 0.3 >said.txt 2>told.txt && grep -q '^24 images at threshold 0.30' said.txt && [ "$(grep -vc ^next: told.txt)" -eq 0 ]
verdict "predict says what it wrote on stdout, and no more than the next step on stderr" $?
[ "$(wc -l <out/findings.csv)" -eq 25 ] && head -n 1 out/findings.csv | grep -q '^name,file,width,height,area,share,components,left,top,right,bottom,centroid_x,centroid_y,largest_probability,milliseconds$' && [ "$(grep -c '"largest_probability"' out/findings.json)" -eq 24 ]
verdict "  and a row for each picture" $?
"$cris" predict run data -o lines --threshold 0.3 --json >lines.jsonl && [ "$(grep -c '^{"name":.*}$' lines.jsonl)" -eq 24 ] && [ "$(wc -l <lines.jsonl)" -eq 24 ]
verdict "  with --json a line for each on stdout, and no other" $?
"$cris" predict run data -o left --threshold 0.3 --json | head -n 1 >/dev/null
[ "$(wc -l <left/findings.csv)" -eq 25 ] && [ "$(ls left/masks | wc -l)" -eq 24 ]
verdict "  a reader that leaves stops no work" $?
"$cris" follow data/images/0000.png --base 2 --size 32 -o made | true
"$cris" export run -o made.onnx | true
[ "${PIPESTATUS[0]}" -eq 0 ] && [ -s made.onnx ] && [ -n "$(ls made)" ]
verdict "  nor that of follow or export" $?
for threads in 1 2 5; do
  rm -rf again && "$cris" predict run data -o again --threshold 0.3 --threads $threads >/dev/null && diff -r out/masks again/masks && diff -r out/probability again/probability &&
    cmp <(cut -d, -f1-14 out/findings.csv) <(cut -d, -f1-14 again/findings.csv)
  verdict "  the same bytes by $threads threads" $?
done

mkdir some && cp data/images/000[0-9].png some && head -c 900 data/images/0010.png >some/0004.png && echo text >some/0007.png
refuses "a bad picture of ten ends predict" 3 "holds the results of 4 of 10 images; --skip-bad" "$cris" predict run some -o first
[ "$(ls first/masks | wc -l)" -eq 4 ]
verdict "  those before it are there" $?
echo notes >some/notes.txt && printf GIF89a >some/film.gif
"$cris" predict run some -o rest --skip-bad >said.txt 2>told.txt
[ $? -eq 3 ] && grep -q '^8 images' said.txt && [ "$(grep -c '^skipped: some/000[47].png' told.txt)" -eq 2 ] && grep -q '^skipped 2 of 10 files$' told.txt && [ "$(ls rest/masks | wc -l)" -eq 8 ] && [ "$(wc -l <rest/findings.csv)" -eq 9 ]
verdict "  with --skip-bad it is named and counted, the others are there, exit code 3" $?
grep -q '^passed over: 2 files' told.txt
verdict "  files of other kinds are counted" $?
refuses "a bad picture alone leaves nothing" 3 "0004.png" "$cris" predict run some/0004.png -o alone
absent "  not even a folder" alone
mkdir -p mine/empty && refuses "  and takes no folder that was there" 3 "0004.png" "$cris" predict run some/0004.png -o mine/empty && [ -d mine/empty ] && [ ! -e mine/empty/masks ]
verdict "  which is as it was" $?
refuses "masks of another set, without another set" 2 "are for --on all" "$cris" eval run --mask-suffix _m

mkdir maps && cp out/probability/000[0-9].png maps && rm some/notes.txt some/film.gif
"$cris" crf some --probability maps -o sharp --skip-bad >said.txt 2>told.txt
[ $? -eq 3 ] && grep -q '^8 pictures -> sharp$' said.txt && grep -q '^skipped 2 of 10 files$' told.txt && [ "$(ls sharp | wc -l)" -eq 8 ]
verdict "crf skips bad pictures too" $?
mkdir truth && cp data/masks/000[0-9].png truth && echo text >truth/0003.png
"$cris" score maps truth --skip-bad --json >scores.json 2>told.txt
[ $? -eq 3 ] && grep -q '"images":9' scores.json && grep -q '^skipped: truth/0003.png' told.txt
verdict "score too" $?
refuses "  and else names the bad one" 3 "truth/0003.png" "$cris" score maps truth

# What crf makes of a run's maps, as predict says it.
"$cris" crf data/images --probability out/probability -o sharper --findings sharper --threads 2 >said.txt 2>told.txt && [ "$(wc -l <sharper/findings.csv)" -eq 25 ] &&
  cmp <(head -n 1 sharper/findings.csv) <(head -n 1 out/findings.csv) && grep -q '"run": *"cris crf"' sharper/findings.json && grep -c '"name"' sharper/findings.json | grep -q 24
verdict "crf of a folder says what it found" $?
refuses "  of one picture it does not" 2 "needs a folder of images" "$cris" crf data/images/0000.png --probability out/probability/0000.png -o z.png --findings sharper

# A signal ends it, with what is there whole.
"$cris" data synthesize many --count 400 --size 64 --seed 2 >/dev/null
signalled TERM cut/masks/0002.png "$cris" predict run many -o cut
[ $? -eq 85 ] && grep -qE '^stopped: [0-9]+ of 400 pictures are in cut' stderr.txt && [ "$(ls cut/masks | wc -l)" -eq "$(($(wc -l <cut/findings.csv) - 1))" ]
verdict "SIGTERM ends predict after the pictures under way: exit code 85" $?

# On a terminal of 80 columns: a bar, in colour unless NO_COLOR or TERM forbid it.
if script -qec true /dev/null >/dev/null 2>&1; then
  terminal() { script -qec "stty cols 80; exec \"$cris\" predict run many -o $1" /dev/null </dev/null >shown.txt 2>&1; }
  TERM=xterm NO_COLOR='' terminal drawn && grep -q $'\033\\[36m' shown.txt && grep -qE 'predicting .*/400 .*a second +left' shown.txt && ! tr '\r' '\n' <shown.txt | sed 's/\x1b\[[0-9]*m//g' | LC_ALL=C.UTF-8 grep -qP '^.{81}'
  verdict "predict draws a bar with the time left on a terminal, within its 80 columns" $?
  TERM=xterm NO_COLOR=1 terminal plain && ! grep -q $'\033' shown.txt && grep -q 'predicting .*/400' shown.txt
  verdict "  without escape sequences by NO_COLOR" $?
  TERM=dumb terminal dumb && ! grep -q $'\033' shown.txt && ! grep -q '━' shown.txt
  verdict "  and no bar on a dumb one" $?
fi
"$cris" train --data data --base 2 --size 32 --epochs 2 --threads 1 -o table >results.txt 2>told.txt && ! grep -hq '.\{81\}' told.txt && grep -q '^  epoch loss  *dice ' told.txt && grep -q '^    2/2 bce ' told.txt && grep -q '^run: table$' results.txt && ! grep -q 'epoch.*loss' results.txt && grep -q '^next: cris report table' told.txt
verdict "train: epochs are a table of 80 columns on stderr, results on stdout, and what to do next" $?
[ "$(sed -n 's/^[^ ]* //p' table/log.txt | head -n 1)" = "cris train --data data --base 2 --size 32 --epochs 2 --threads 1 -o table" ] && grep -q ' epoch loss' table/log.txt && grep -q '^test set, ' table/log.txt
verdict "  log.txt has the command, the epochs and the results" $?
"$cris" train --data data --base 2 --size 32 --epochs 2 --threads 1 -o events --json 2>told.txt >events.jsonl && [ ! -s told.txt ] && [ "$(grep -c '^{"event":"epoch","epoch":' events.jsonl)" -eq 2 ] && tail -n 1 events.jsonl | grep -q '^{"event":"complete","run":"events".*"test":{"dice":' && ! grep -qv '^{"event":' events.jsonl
verdict "  with --json every line of stdout is an event" $?
for command in "doctor" "summary --size 32 --base 2" "data check data" "verify table" "paper --kvasir table"; do
  # shellcheck disable=SC2086
  "$cris" $command --json >json.txt 2>/dev/null && [ "$(wc -l <json.txt)" -eq 1 ] && grep -qE '^[[{].*[]}]$' json.txt
  verdict "  and $command --json is JSON on one line" $?
done
finish
