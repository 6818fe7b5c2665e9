# What the program's tests share: sourced, not run. The program, a scratch folder to be in, and what many tests do.
cris=$(realpath "${1:?usage: $0 PROGRAM}")
tests=$(realpath "$(dirname "${BASH_SOURCE[0]}")/..")
source "$tests/checks.bash"
cd "$scratch" || exit 1

# refuses NAME CODE TEXT COMMAND...: the command ends with CODE, and its only complaint is one line, the last, that has TEXT and
# names no line of the source.
refuses() {
  local name=$1 code=$2 text=$3 status=0
  shift 3
  "$@" >stdout.txt 2>stderr.txt || status=$?
  if [ "$status" -eq "$code" ] && { [ "$(wc -l <stderr.txt)" -eq 1 ] || [ "$(grep -c '^cris: ' stderr.txt)" -eq 1 ]; } && tail -n 1 stderr.txt | grep -qF -- "$text" && ! grep -qE '\.(cpp|h):[0-9]+\)' stderr.txt; then
    echo "ok $name"
  else
    echo "FAILED $name: exit code $status for $code; stderr, where \"$text\" was expected:"
    cat stderr.txt
    failures=$((failures + 1))
  fi
}

# Whether the program is a sanitizer's, which takes address space beyond all limits, and beyond what qemu-user has.
sanitized() { grep -qE '__[at]san_init' "$cris"; }

# refuses_within KILOBYTES ...: the same, with so much address space.
refuses_within() {
  if sanitized; then echo "not tried under a sanitizer: $2"; return; fi
  (ulimit -v "$1"; refuses "${@:2}"; exit "$failures") || failures=$((failures + 1))
}

# ends NAME CODE COMMAND...: the command ends with CODE, whatever it says.
ends() {
  "${@:3}" >stdout.txt 2>stderr.txt
  [ $? -eq "$2" ]
  verdict "$1" $?
}

# absent NAME PATH...: nothing is there.
absent() {
  local path status=0
  for path in "${@:2}"; do [ ! -e "$path" ] || status=1; done
  verdict "$1" "$status"
}

# same NAME A B [FILE...]: the files (all that SHA256SUMS lists, by default) of two runs are equal byte for byte.
same() {
  local name=$1 a=$2 b=$3
  shift 3
  local files=("$@") differing=0
  [ ${#files[@]} -gt 0 ] || mapfile -t files < <(cut -c67- "$a/SHA256SUMS" | grep -v '^manifest.json$')
  [ ${#files[@]} -gt 0 ] || differing=1
  for file in "${files[@]}"; do cmp -s "$a/$file" "$b/$file" || { echo "differs: $file"; differing=1; }; done
  verdict "$name" "$differing"
}

# same_records NAME A B: the records of two studies are equal byte for byte, but for the times in their journals.
same_records() {
  sed -i 's/"datetime_[a-z]*":"[^"]*"/TIME/' "$2/study.journal" "$3/study.journal"
  diff <(grep -v 'study.journal$' "$2/SHA256SUMS") <(grep -v 'study.journal$' "$3/SHA256SUMS") && diff -rq -x SHA256SUMS "$2" "$3"
  verdict "$1" $?
}

# killed "SECONDS..." COMMAND...: begins the command again and again and kills it after so many seconds; `kills` times it still ran.
killed() {
  local pause child
  kills=0
  for pause in $1; do
    "${@:2}" >/dev/null 2>&1 &
    child=$!
    sleep "$pause"
    kill -KILL "$child" 2>/dev/null && kills=$((kills + 1))
    wait "$child" 2>/dev/null
  done
}

# signalled SIGNAL FILE COMMAND...: sends SIGNAL to the command once it has written to FILE; the exit code is the command's.
signalled() {
  "${@:3}" >stdout.txt 2>stderr.txt &
  local child=$!
  for _ in $(seq 1000); do [ -s "$2" ] && break; sleep 0.02; done
  kill "-$1" "$child"
  wait "$child"
}

# draw NAME WIDTH HEIGHT EXPRESSION: a PNG; EXPRESSION of x and y gives (r, g, b), or one number for a gray picture.
draw() {
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
