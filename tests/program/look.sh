#!/usr/bin/env bash
# The commands that show what the program computes: summary, follow, gradcheck.
source "$(dirname "$0")/setting.bash"

"$cris" data synthesize data --count 3 --size 40 --seed 5 >/dev/null || { echo "FAILED synthesize"; exit 1; }

"$cris" summary --base 4 --size 32 --strategy cris --batch 2 >summary.txt
verdict "summary describes a network" $?
grep -qE '^  encoder\.0\.conv1 +conv2d +\[2, 32, 32, 4\] +108 ' summary.txt && grep -qE '^  encoder\.4\.norm2 +batch_norm relu ' summary.txt && grep -q '^  skip: side by side encoder.3.norm2, decoder.3.up$' summary.txt && ! grep -q '.\{81\}' summary.txt
verdict "  each layer with its op, its output and its parameters, ReLU and skip connections, in 80 columns" $?
"$cris" summary --base 4 --size 32 --strategy cris --batch 2 --json | grep -q '"parameters":141246,.*"joins":\["backbone.encoder.3.norm2","backbone.decoder.3.up"\]'
verdict "  and as JSON" $?
grep -qE '^refiner$' summary.txt && ! "$cris" summary --base 4 --size 32 --strategy backbone | grep -q '^refiner$'
verdict "  the refiner with strategy cris alone" $?
grep -q '^unet base 4: 122,093 parameters; refiner: 19,153; together 141,246$' summary.txt && grep -q '^batch 2 of 32x32: .* forward$' summary.txt && grep -q '^memory planned: .*to train, .*to predict$' summary.txt
verdict "  all parameters, arithmetic and memory" $?
refuses "summary of a network that there is not" 2 "unet, unet++ or segnet" "$cris" summary --backbone resnet

image=$(ls data/images/* | head -n 1)
follow() { "$cris" follow "$image" --base 2 --size 32 --strategy cris "$@"; }
follow >follow.txt && grep -q "^$image: 40 x 40 pixels, resized to 32 x 32$" follow.txt && grep -q "^mask: data/masks/" follow.txt
verdict "follow takes an image and its mask" $?
grep -qE '^ +0 +conv2d +encoder\.0\.conv1 +32x32x2 ' follow.txt && grep -q ' max_pool2d ' follow.txt && grep -q ' dropout ' follow.txt && grep -qE '^ +[0-9]+ conv2d +head +32x32x1 ' follow.txt && grep -q 'skip connection: side by side encoder.0.norm2, decoder.0.up$' follow.txt && ! grep -q '.\{81\}' follow.txt
verdict "  shows each op with its layer and shape and each skip connection, from the image to the mask" $?
grep -q '^backbone.encoder.0.conv1.weight  *\[2, 3, 3, 3\]' follow.txt && grep -qE '^  conv2d +autograd/conv.cpp:[0-9]+$' follow.txt && line=$(sed -n 's/^  conv2d *//p' follow.txt) && sed -n "${line#*:}p" "$tests/../${line%:*}" | grep -q 'record("conv2d"'
verdict "  names the parameters, and where each op is computed" $?
follow -o activations >/dev/null && [ -s activations/000-conv2d-backbone.encoder.0.conv1-0.png ] && [ "$(ls activations | wc -l)" -gt 100 ] && follow -o activations >/dev/null
verdict "  draws the activations, and again over these" $?
[ "$(grep -cE '^ +[0-9]+ .* [0-9]\.[0-9]+e[-+][0-9]+$' follow.txt)" -gt 50 ] && [ "$(grep -cE '^(backbone|refiner)\..* [0-9.]+e[-+][0-9]+ [0-9.]+e[-+][0-9]+$' follow.txt)" -gt 60 ]
verdict "  and the size of each gradient" $?
loss() { grep '^loss (binary cross entropy of the output): [0-9.]*$' "$1"; }
follow --threads 1 >again.txt && [ -n "$(loss follow.txt)" ] && [ "$(loss follow.txt)" = "$(loss again.txt)" ]
verdict "  and a loss, the same each time" $?
cp "$image" alone.png && image=alone.png && follow >alone.txt && ! grep -q "^mask:" alone.txt && [ -n "$(loss alone.txt)" ] && [ "$(loss alone.txt)" != "$(loss follow.txt)" ]
verdict "  without a mask, against an empty one" $?
grep -q '^no mask beside it: the loss is against a mask without polyp$' alone.txt
verdict "  and says so" $?
refuses "an image to follow that is not there" 3 "nowhere.png" "$cris" follow nowhere.png

"$cris" gradcheck --ops-only >gradcheck.txt && tail -n 1 gradcheck.txt | grep -q '^[0-9]* passed, 0 failed$' && grep -q '^pass [^ ]* *conv2d ' gradcheck.txt
verdict "gradcheck passes every op" $?
"$cris" gradcheck --ops-only --tolerance 1e-13 >gradcheck.txt
[ $? -eq 5 ] && grep -q '^FAIL [^ ]* *conv2d ' gradcheck.txt && tail -n 1 gradcheck.txt | grep -q '^[0-9]* passed, [1-9][0-9]* failed$'
verdict "  and with a tolerance that rounding exceeds names those that fail: exit code 5" $?
finish
