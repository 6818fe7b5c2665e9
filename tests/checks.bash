# What the scripts of the tests share: sourced, not run. A scratch folder, and checks that print `ok NAME` or `FAILED NAME`.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
failures=0

verdict() {  # verdict NAME STATUS
  if [ "$2" -eq 0 ]; then echo "ok $1"; else echo "FAILED $1"; failures=$((failures + 1)); fi
}

# check NAME COMMAND...: shows the end of what the command says where it fails.
check() {
  local status=0
  "${@:2}" >"$scratch/log" 2>&1 || { status=1; tail -n 20 "$scratch/log"; }
  verdict "$1" "$status"
}

finish() { [ "$failures" -eq 0 ]; exit; }
