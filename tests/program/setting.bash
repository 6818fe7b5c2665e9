# What the program's tests share: sourced, not run. Defines the program, a scratch folder, and checks that print `ok NAME` or
# `FAILED NAME`.
cris=$(realpath "${1:?usage: $0 PROGRAM}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch" || exit 1
failures=0

verdict() {  # verdict NAME STATUS
  if [ "$2" -eq 0 ]; then echo "ok $1"; else echo "FAILED $1"; failures=$((failures + 1)); fi
}

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

finish() { [ "$failures" -eq 0 ]; exit; }
