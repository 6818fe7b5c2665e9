#!/usr/bin/env bash
# cris crf: pictures in, pictures out; every bad input one clear line and the documented exit code.
here=$(realpath "$(dirname "$0")")
source "$(dirname "$0")/setting.bash"
command -v python3 >/dev/null || { echo "skipped: needs python3"; exit 0; }

# write NAME WIDTH HEIGHT EXPRESSION: a PNG; EXPRESSION of x and y gives (r, g, b), or one number for a gray picture.
write() {
  python3 - "$@" <<'PY'
import struct, sys, zlib
name, width, height, expression = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
def chunk(kind, data): return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
pixel = eval('lambda x, y: ' + expression)
gray = not isinstance(pixel(0, 0), tuple)
rows = b''.join(b'\0' + b''.join(bytes([pixel(x, y)] if gray else pixel(x, y)) for x in range(width)) for y in range(height))
open(name, 'wb').write(b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 0 if gray else 2, 0, 0, 0)) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b''))
PY
}
# pixels FILE: the pixels of an 8-bit PNG in hexadecimal, a row a line.
pixels() {
  python3 - "$1" <<'PY'
import struct, sys, zlib
data = open(sys.argv[1], 'rb').read()
width, height, depth, colour = struct.unpack('>IIBB', data[16:26])
body, at = b'', 8
while at < len(data):
    size, kind = struct.unpack('>I4s', data[at:at + 8])
    if kind == b'IDAT': body += data[at + 8:at + 8 + size]
    at += 12 + size
raw, channels = zlib.decompress(body), {0: 1, 2: 3}[colour]
previous, stride = bytearray(width * channels), width * channels
for y in range(height):
    kind, row = raw[y * (stride + 1)], bytearray(raw[y * (stride + 1) + 1:(y + 1) * (stride + 1)])
    for i in range(stride):
        left = row[i - channels] if i >= channels else 0
        up, corner = previous[i], previous[i - channels] if i >= channels else 0
        p = left + up - corner
        nearest = min((abs(p - left), 0, left), (abs(p - up), 1, up), (abs(p - corner), 2, corner))[2]
        row[i] = (row[i] + (0, left, up, (left + up) // 2, nearest)[kind]) % 256
    print(' '.join(row[x * channels:(x + 1) * channels].hex() for x in range(width)))
    previous = row
PY
}

# The left half of the image is dark, the right half bright; the maps are wrong in specks and unsure in a band.
write image.png 24 16 '(40, 30, 20) if x < 12 else (200, 180, 170)'
write labels.png 24 16 '(0, 0, 0) if 10 <= x < 14 else (0, 128, 0) if (x < 12) != (x % 7 == 3 and y % 5 == 2) else (128, 0, 0)'
write truth.png 24 16 '(0, 128, 0) if x < 12 else (128, 0, 0)'
write three.png 24 16 '(0, 0, 0) if 10 <= x < 14 else (0, 0, 64) if x < 12 and y < 8 else (0, 128, 0) if x < 12 else (128, 0, 0)'
write foreground.png 24 16 '60 if (x < 12) != (x % 7 == 3 and y % 5 == 2) else 190'
write background.png 24 16 '195 if (x < 12) != (x % 7 == 3 and y % 5 == 2) else 65'
write mask.png 24 16 '0 if x < 12 else 255'

"$cris" crf image.png --labels labels.png -o out.png && [ "$(pixels out.png)" = "$(pixels truth.png)" ]
verdict "a label map follows the image's edge" $?
"$cris" crf image.png --labels labels.png -o exact.png --kernel exact && cmp -s out.png exact.png
verdict "by the exact filter too" $?
"$cris" crf image.png --labels labels.png -o one.png --threads 1 && "$cris" crf image.png --labels labels.png -o two.png --threads 2 && cmp -s one.png two.png
verdict "the same bytes by 1 and 2 threads" $?
"$cris" crf image.png --probability foreground.png -o out.png --probability-output refined.png && [ "$(pixels out.png)" = "$(pixels mask.png)" ] && [ -s refined.png ]
verdict "a probability map follows the edge; its refined map is written" $?
"$cris" crf image.png --probability background.png foreground.png -o out.png && [ "$(pixels out.png | tr ' ' '\n' | sort -u | wc -l)" -eq 2 ]
verdict "one probability map a label" $?
"$cris" crf image.png --labels three.png -o out.png && [ "$(pixels out.png | tr ' ' '\n' | sort -u | tr '\n' ' ')" = "000040 008000 800000 " ]
verdict "three labels; every pixel gets one" $?

mkdir images maps && cp image.png images/a.png && cp image.png images/b.png && cp labels.png maps/a.png && cp three.png maps/b.png
"$cris" crf images --labels maps -o results >stdout.txt && [ "$(ls results)" = "$(printf 'a.png\nb.png')" ] && cmp -s out.png results/b.png
verdict "a folder: the same as one by one" $?
rm maps/b.png
refuses "a folder where one map is missing" 3 "b.png: there is no map of that name in maps" "$cris" crf images --labels maps -o partial
"$cris" crf images --labels maps -o some --skip-bad >/dev/null 2>told.txt
[ $? -eq 3 ] && grep -q '^skipped: maps/b: No such file\|^skipped: .*maps/b' told.txt && [ "$(ls some)" = a.png ]
verdict "  with --skip-bad it is left out, and named" $?

write dot.png 1 1 '(10, 20, 30)'
write dot_map.png 1 1 '200'
"$cris" crf dot.png --probability dot_map.png -o dot_out.png && [ "$(pixels dot_out.png)" = ff ]
verdict "one pixel keeps its likelier label" $?
write dot_label.png 1 1 '(0, 128, 0)'
"$cris" crf dot.png --labels dot_label.png -o dot_out.png && [ "$(pixels dot_out.png)" = 008000 ]
verdict "one pixel of one label keeps it" $?

write small.png 23 16 '(0, 128, 0) if x < 12 else (128, 0, 0)'
refuses "a label map of another size" 3 "small.png is 23 x 16 but its image image.png is 24 x 16" "$cris" crf image.png --labels small.png -o none.png
write small_map.png 24 15 '200'
refuses "a probability map of another size" 3 "small_map.png is 24 x 15" "$cris" crf image.png --probability small_map.png -o none.png
refuses "probability maps of two sizes" 3 "small_map.png is 24 x 15" "$cris" crf image.png --probability foreground.png small_map.png -o none.png
cp small.png maps/b.png
refuses "a folder where the second map is of another size" 3 "b.png is 23 x 16" "$cris" crf images --labels maps -o partial
write photograph.png 24 16 '(x * 10, y * 15, (x * y) % 256)'
refuses "a label map of too many colours" 3 "more than 256 colours" "$cris" crf image.png --labels photograph.png -o none.png
write black.png 24 16 '0'
"$cris" crf image.png --labels black.png -o out.png && [ "$(pixels out.png)" = "$(pixels black.png)" ]
verdict "a black map is an empty mask, and stays one" $?
write white.png 24 16 '255 if (x < 12) != (x % 7 == 3 and y % 5 == 2) else 0'
write half.png 24 16 '255 if x < 12 else 0'
"$cris" crf image.png --labels white.png -o out.png && [ "$(pixels out.png)" = "$(pixels half.png)" ]
verdict "a mask of 0 and 255 follows the edge, and black is its background" $?
write levels.png 24 16 'x * 10 + y'
refuses "probabilities as labels" 3 "given by --probability" "$cris" crf image.png --labels levels.png -o none.png
write ones.png 24 16 '1 if x < 12 else 0'
"$cris" score ones.png half.png >/dev/null 2>told.txt; grep -q 'warning: 1 of 1 maps without a value above 1 of 255' told.txt
verdict "score says that a mask of 0 and 1 is no map" $?
refuses "a mask of 0 and 1 as probabilities" 3 "given by --labels" "$cris" crf image.png --probability ones.png -o none.png
"$cris" crf image.png --labels black.png --black-is-label -o out.png && [ "$(pixels out.png)" = "$(pixels black.png)" ]
verdict "a label map of one label comes out as it was" $?
write gray.png 24 16 '40 if x < 12 else 200'
write gray_rgb.png 24 16 '(40, 40, 40) if x < 12 else (200, 200, 200)'
"$cris" crf gray.png --labels labels.png -o gray_out.png && "$cris" crf gray_rgb.png --labels labels.png -o gray_rgb_out.png && cmp -s gray_out.png gray_rgb_out.png && [ "$(pixels gray_out.png)" = "$(pixels truth.png)" ]
verdict "an image without colour is one of equal channels" $?
echo "not a picture" >text.png
refuses "an image that is a text file" 3 "text.png" "$cris" crf text.png --labels labels.png -o none.png
refuses "a map that is a text file" 3 "text.png" "$cris" crf image.png --labels text.png -o none.png
cp "$here/../data/pictures/gray.jpg" label.png && cp "$here/../data/pictures/gray.jpg" label.jpg
for file in label.png label.jpg; do refuses "a JPEG as label map, named $file" 3 "a JPEG, whose labels are blurred" "$cris" crf image.png --labels $file -o none.png; done
cp "$here/../data/pictures/faint12.tif" deep.tif
refuses "probabilities in a part of 16 bits" 3 "deep.tif: 12 of 16 bits used" "$cris" crf image.png --probability deep.tif -o none.png
cp "$here/../data/pictures/faint12.png" deep.png
refuses "  which a gray PNG has by 65535" 3 "they must be of one size" "$cris" crf image.png --probability deep.png -o none.png
refuses "no such image" 3 "nowhere.png" "$cris" crf nowhere.png --labels labels.png -o none.png
for option in --sxy --srgb --gaussian-sxy; do
  for value in 0 -3 nan; do
    refuses "$option $value" 2 "must be at least" "$cris" crf image.png --labels labels.png -o none.png "$option" "$value"
  done
done
refuses "more iterations than ever end" 2 "1 to 1000" "$cris" crf image.png --labels labels.png -o none.png --iterations 1000000000
refuses "a negative number of threads" 2 "--threads" "$cris" crf image.png --labels labels.png -o none.png --threads -1
refuses "a kernel that is gone" 2 'is gone' "$cris" crf image.png --labels labels.png -o none.png --kernel bridged
refuses "labels and probabilities" 2 "either --labels or --probability" "$cris" crf image.png --labels labels.png --probability foreground.png -o none.png
refuses "neither" 2 "either --labels or --probability" "$cris" crf image.png -o none.png
[ ! -e none.png ] && [ "$(ls partial)" = a.png ]
verdict "none of these left a file behind, but for the picture before the bad one of a folder" $?
finish
