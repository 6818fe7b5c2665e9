#!/usr/bin/env bash
# The commands that show what the program computes: summary, follow, gradcheck.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize data --count 3 --size 40 --seed 5 >/dev/null || { echo "FAILED synthesize"; exit 1; }

"$cris" summary --base 4 --size 32 --strategy cris --batch 2 >summary.txt
verdict "summary describes a network" $?
grep -qE '^backbone\.encoder\.0\.conv1 +conv2d +\[2, 32, 32, 4\] +108 ' summary.txt
verdict "  each layer with its op, its output and its parameters" $?
grep -qE '^refiner\.' summary.txt && ! "$cris" summary --base 4 --size 32 --strategy backbone | grep -q '^refiner\.'
verdict "  the refiner with strategy cris alone" $?
grep -q '^unet base 4: 122,093 parameters; refiner: 19,153; together 141,246$' summary.txt && grep -q '^batch 2 of 32x32: .*to train, .*to predict$' summary.txt
verdict "  all parameters, arithmetic and memory" $?
refuses "summary of a network that there is not" 2 "unet, unet++ or segnet" "$cris" summary --backbone resnet

image=$(ls data/images/* | head -n 1)
follow() { "$cris" follow "$image" --base 2 --size 32 --strategy cris "$@"; }
follow >follow.txt && grep -q "^$image: 40 x 40 pixels, resized to 32 x 32$" follow.txt && grep -q "^mask: data/masks/" follow.txt
verdict "follow takes an image and its mask" $?
grep -qE '^ +0 +conv2d .*\[1, 32, 32, 2\] ' follow.txt && grep -q ' max_pool2d ' follow.txt && grep -q ' dropout ' follow.txt && grep -q '^ .* \[1, 32, 32, 1\] ' follow.txt
verdict "  shows each op with its shape, from the image to the mask" $?
[ "$(grep -cE '^ +[0-9]+ .* [0-9]\.[0-9]+e[-+][0-9]+$' follow.txt)" -gt 60 ]
verdict "  and the size of each gradient" $?
loss() { grep '^loss (binary cross entropy of the output): [0-9.]*$' "$1"; }
follow --threads 1 >again.txt && [ -n "$(loss follow.txt)" ] && [ "$(loss follow.txt)" = "$(loss again.txt)" ]
verdict "  and a loss, the same each time" $?
cp "$image" alone.png && image=alone.png && follow >alone.txt && ! grep -q "^mask:" alone.txt && [ -n "$(loss alone.txt)" ] && [ "$(loss alone.txt)" != "$(loss follow.txt)" ]
verdict "  without a mask, against an empty one" $?
refuses "an image to follow that is not there" 3 "nowhere.png" "$cris" follow nowhere.png

"$cris" gradcheck --ops-only >gradcheck.txt && tail -n 1 gradcheck.txt | grep -q '^[0-9]* passed, 0 failed$' && grep -q '^conv2d .* pass$' gradcheck.txt
verdict "gradcheck passes every op" $?
status=0
"$cris" gradcheck --ops-only --tolerance 1e-13 >gradcheck.txt || status=$?
[ "$status" -eq 5 ] && grep -q '^conv2d .* FAIL$' gradcheck.txt && tail -n 1 gradcheck.txt | grep -q '^[0-9]* passed, [1-9][0-9]* failed$'
verdict "  and with a tolerance that rounding exceeds names those that fail: exit code 5" $?
finish
