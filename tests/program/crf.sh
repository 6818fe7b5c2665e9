#!/usr/bin/env bash
# cris crf: pictures in, pictures out; every bad input one clear line and the documented exit code.
source "$(dirname "$0")/setting.bash"

# agree RESULT MASK: the same pixels are lit in both, by as little as the red of a label.
agree() { "$cris" score "$1" "$2" --threshold 0.1 --json | grep -q '"mean":{"dice":1.0,'; }

# The left half of the image is dark, the right half bright; the maps are wrong in specks and unsure in a band.
draw image.png 24 16 '(40, 30, 20) if x < 12 else (200, 180, 170)'
draw labels.png 24 16 '(0, 0, 0) if 10 <= x < 14 else (0, 0, 64) if (x < 12) != (x % 7 == 3 and y % 5 == 2) else (128, 0, 0)'
draw three.png 24 16 '(0, 0, 0) if 10 <= x < 14 else (0, 0, 64) if x < 12 and y < 8 else (0, 128, 0) if x < 12 else (128, 0, 0)'
draw foreground.png 24 16 '60 if (x < 12) != (x % 7 == 3 and y % 5 == 2) else 190'
draw background.png 24 16 '195 if (x < 12) != (x % 7 == 3 and y % 5 == 2) else 65'
draw mask.png 24 16 '0 if x < 12 else 255'

"$cris" crf image.png --labels labels.png -o out.png && agree out.png mask.png
verdict "a label map follows the image's edge" $?
"$cris" crf image.png --labels labels.png -o exact.png --kernel exact && cmp -s out.png exact.png
verdict "by the exact filter too" $?
"$cris" crf image.png --labels labels.png -o one.png --threads 1 && "$cris" crf image.png --labels labels.png -o two.png --threads 2 && cmp -s one.png two.png
verdict "the same bytes by 1 and 2 threads" $?
"$cris" crf image.png --probability foreground.png -o out.png --probability-output refined.png && agree out.png mask.png && [ -s refined.png ]
verdict "a probability map follows the edge; its refined map is written" $?
"$cris" crf image.png --probability background.png foreground.png -o out.png && agree out.png mask.png
verdict "one probability map a label" $?

mkdir images maps && cp image.png images/a.png && cp image.png images/b.png && cp labels.png maps/a.png && cp three.png maps/b.png
"$cris" crf images --labels maps -o results >stdout.txt && "$cris" crf image.png --labels three.png -o out.png && [ "$(ls results)" = "$(printf 'a.png\nb.png')" ] && cmp -s out.png results/b.png
verdict "a folder: the same as one by one" $?
rm maps/b.png
refuses "a folder where one map is missing" 3 "b.png: there is no map of that name in maps" "$cris" crf images --labels maps -o partial
"$cris" crf images --labels maps -o some --skip-bad >/dev/null 2>told.txt
[ $? -eq 3 ] && grep -q '^skipped: maps/b: No such file\|^skipped: .*maps/b' told.txt && [ "$(ls some)" = a.png ]
verdict "  with --skip-bad it is left out, and named" $?

draw small.png 23 16 '(0, 128, 0) if x < 12 else (128, 0, 0)'
refuses "a label map of another size" 3 "small.png is 23 x 16 but its image image.png is 24 x 16" "$cris" crf image.png --labels small.png -o none.png
draw small_map.png 24 15 '200'
refuses "a probability map of another size" 3 "small_map.png is 24 x 15" "$cris" crf image.png --probability small_map.png -o none.png
cp small.png maps/b.png
refuses "a folder where the second map is of another size" 3 "b.png is 23 x 16" "$cris" crf images --labels maps -o partial
draw black.png 24 16 '0'
"$cris" crf image.png --labels black.png -o out.png && agree out.png black.png
verdict "a black map is an empty mask, and stays one" $?
draw white.png 24 16 '255 if (x < 12) != (x % 7 == 3 and y % 5 == 2) else 0'
draw half.png 24 16 '255 if x < 12 else 0'
"$cris" crf image.png --labels white.png -o out.png && agree out.png half.png
verdict "a mask of 0 and 255 follows the edge, and black is its background" $?
draw levels.png 24 16 'x * 10 + y'
refuses "probabilities as labels" 3 "given by --probability" "$cris" crf image.png --labels levels.png -o none.png
draw ones.png 24 16 '1 if x < 12 else 0'
"$cris" score ones.png half.png >/dev/null 2>told.txt; grep -q 'warning: 1 of 1 maps without a value above 1 of 255' told.txt
verdict "score says that a mask of 0 and 1 is no map" $?
refuses "a mask of 0 and 1 as probabilities" 3 "given by --labels" "$cris" crf image.png --probability ones.png -o none.png
"$cris" crf image.png --labels black.png --black-is-label -o out.png && agree out.png black.png
verdict "a label map of one label comes out as it was" $?
draw gray.png 24 16 '40 if x < 12 else 200'
draw gray_rgb.png 24 16 '(40, 40, 40) if x < 12 else (200, 200, 200)'
"$cris" crf gray.png --labels labels.png -o gray_out.png && "$cris" crf gray_rgb.png --labels labels.png -o gray_rgb_out.png && cmp -s gray_out.png gray_rgb_out.png && agree gray_out.png mask.png
verdict "an image without colour is one of equal channels" $?
echo "not a picture" >text.png
refuses "an image that is a text file" 3 "text.png" "$cris" crf text.png --labels labels.png -o none.png
refuses "a map that is a text file" 3 "text.png" "$cris" crf image.png --labels text.png -o none.png
cp "$tests/data/pictures/gray.jpg" label.png && cp "$tests/data/pictures/gray.jpg" label.jpg
for file in label.png label.jpg; do refuses "a JPEG as label map, named $file" 3 "a JPEG, whose labels are blurred" "$cris" crf image.png --labels $file -o none.png; done
cp "$tests/data/pictures/faint12.tif" deep.tif
refuses "probabilities in a part of 16 bits" 3 "deep.tif: 12 of 16 bits used" "$cris" crf image.png --probability deep.tif -o none.png
cp "$tests/data/pictures/faint12.png" deep.png
refuses "  which a gray PNG has by 65535" 3 "they must be of one size" "$cris" crf image.png --probability deep.png -o none.png
refuses "no such image" 3 "nowhere.png" "$cris" crf nowhere.png --labels labels.png -o none.png
for option in --sxy --srgb --gaussian-sxy; do refuses "$option nan" 2 "$option nan must be at least" "$cris" crf image.png --labels labels.png -o none.png "$option" nan; done
refuses "a negative number of threads" 2 "--threads" "$cris" crf image.png --labels labels.png -o none.png --threads -1
refuses "a kernel that is gone" 2 'is gone' "$cris" crf image.png --labels labels.png -o none.png --kernel bridged
refuses "labels and probabilities" 2 "either --labels or --probability" "$cris" crf image.png --labels labels.png --probability foreground.png -o none.png
refuses "neither" 2 "either --labels or --probability" "$cris" crf image.png -o none.png
[ ! -e none.png ] && [ "$(ls partial)" = a.png ]
verdict "none of these left a file behind, but for the picture before the bad one of a folder" $?
finish
