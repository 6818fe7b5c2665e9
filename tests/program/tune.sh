#!/usr/bin/env bash
# A study of small trainings: killed and resumed, on a full disk, by two workers, replayed.
#   tune.sh PROGRAM
source "$(dirname "$0")/setting.bash"
study=(tune --data data --base 4 --size 16 --batch 8 --epochs 3 --strategy fcn --threads 1 --trials 12 --prune-after-trials 2 --name study
  --search train.learning_rate=1e-6..1e-2:log --search refiner.channels=2,4,8)
tune() { "$cris" "${study[@]}" --study "$1.journal" -o "$1" >"$1.txt" 2>&1; }
# The journal without times and processes.
story() { sed -E 's/"worker_id":"[^"]*",//; s/"datetime_[a-z]*":"[^"]*"//; /"user_attr"/d' "$1.journal"; }
same_story() { diff <(story "$1") <(story "$2"); }
# Every trial has ended once, no epoch was reported twice, and every decision is as it must be.
sound() {
  [ "$(grep -c '"op_code":4,' "$1.journal")" -eq 12 ] && [ "$(grep -c '"op_code":6,' "$1.journal")" -eq 12 ] &&
    [ -z "$(grep -oE '"op_code":7,.*"step":[0-9]+' "$1.journal" | grep -oE '"trial_id":.*' | sort | uniq -d)" ] &&
    [ "$(ls -d "$1"/trial-* | wc -l)" -eq 12 ] && "$cris" tune replay "$1.journal" >replay.txt && grep -q "; 0 differ" replay.txt
}

"$cris" data synthesize data --count 20 --size 32 --seed 3 >/dev/null || { echo "FAILED synthesize"; exit 1; }
tune once && grep -q "best: trial" once.txt && grep -q "pruned after" once.txt
verdict "a study ends well, and prunes" $?
sound once && [ ! -e once/trial-0000/checkpoints ] && [ -s once/trial-0000/epochs.csv ]
verdict "its trials and its decisions are sound; folders keep what is small" $?
cp once.journal before
tune once && cmp -s before once.journal
verdict "the same command again changes nothing" $?
read -ra next < <(sed -n 's/^next: //p' once.txt)
"$cris" "${next[@]:1}" --epochs 1 >/dev/null && [ -s once/best/SHA256SUMS ]
verdict "the command that it ends with trains the best" $?

killed "0.05 0.1 0.15 0.2 0.25 0.3 0.35 0.4" "$cris" "${study[@]}" --study killed.journal -o killed
tune killed && [ "$kills" -gt 0 ] && same_story once killed
verdict "killed $kills times, it ends with the same journal but for times and processes" $?
# Of a study that would take minutes, once it has reported an epoch.
"$cris" "${study[@]}" --study stopped.journal -o stopped --epochs 100000 >/dev/null 2>&1 &
child=$!
until grep -q '"op_code":7' stopped.journal 2>/dev/null || ! kill -0 "$child" 2>/dev/null; do sleep 0.05; done
kill -TERM "$child" 2>/dev/null
wait "$child"
[ $? -eq 85 ]
verdict "SIGTERM: exit code 85" $?

# A journal near the largest size that a file may have, as on a full disk.
printf '{"op_code":2,"worker_id":"x","study_id":9,"user_attr":{"long":"%s"}}\n' "$(head -c 4186000 /dev/zero | tr '\0' a)" >full.journal
refuses "a full disk: exit code 3" 3 "full.journal: cannot be written" bash -c 'ulimit -f 4096; exec "$@"' - "$cris" "${study[@]}" --study full.journal -o full
[ "$(tail -c 1 full.journal | xxd -p)" = 0a ] && tune full && same_story once full
verdict "  nothing is lost: the same journal in the end" $?

tune two &
first=$!
"$cris" "${study[@]}" --study two.journal -o two >/dev/null 2>&1
wait "$first" && tune two && sound two && [ "$(grep -oE '"worker_id":"[^"]*"' two.journal | sort -u | wc -l)" -eq 2 ]
verdict "two workers: no trial twice, none lost" $?

sed '0,/"step":1,"intermediate_value":0\./s//"step":1,"intermediate_value":0.0/' once.journal >edited.journal
"$cris" tune replay edited.journal -o once >replay.txt
[ $? -eq 5 ] && grep -q "trial 0: epoch 2 is .*; once/trial-0000/epochs.csv has" replay.txt && "$cris" tune replay once.journal -o once >/dev/null
verdict "replay names an edited report, where the runs are at hand: exit code 5" $?
refuses "another network for the same study" 2 "begun with other settings (backbone = \"unet\", not backbone = \"unet++\")" "$cris" "${study[@]}" --study once.journal -o once --backbone unet++
refuses "another folder for the same trials" 3 "give the -o of its first workers" bash -c 'sed "/\"op_code\":6,.*\"trial_id\":11,/d" once.journal >open.journal; exec "$@"' - "$cris" "${study[@]}" --study open.journal -o elsewhere
refuses "no journal" 2 "there is no such journal" "$cris" tune replay none.journal
finish
