#!/usr/bin/env bash
# What README.md and docs/ tell people to type: each command, option and setting exists, and the quick start does what it says.
source "$(dirname "$0")/setting.bash"
root=$(realpath "$tests/..")
pages=("$root/README.md" "$root"/docs/*.md "$root"/docs/reference/*.md "$root"/docs/course/*.md)

# `cris ...` in backticks or on a line of its own, one a line. Alternatives in one pair of backticks are not commands.
grep -ohE '(`|^    +)(build/release/)?cris [a-z][^`#]*' "${pages[@]}" | sed -E 's/^[` ]*(build\/release\/)?//; s/ +$//' | sort -u >commands.txt
[ "$(wc -l <commands.txt)" -gt 40 ]
verdict "the pages show commands" $?

declare -A help  # of `cris`, and of each of its commands
help_of() {
  [ -n "${help[$*]:-}" ] || help[$*]=$("$cris" "$@" --help 2>&1) || help[$*]=none
}
wrong=0
while read -r _ first second rest; do
  help_of "$first"
  if [ "${help[$first]}" = none ]; then
    echo "there is no cris $first" && wrong=1 && continue
  fi
  text=${help[$first]}
  if [[ $second =~ ^[a-z]+$ ]] && grep -qE 'Usage: cris [a-z]+ .*COMMAND' <<<"$text"; then
    grep -qE "^  $second( |$)" <<<"$text" || { echo "there is no cris $first $second"; wrong=1; }
    help_of "$first" "$second"
    text+=${help[$first $second]}
  fi
  for option in $(grep -oE -- '(^| )--[a-z-]+' <<<"$second $rest"); do
    grep -qE -- "(^| |,)$option([ ,]|\$)" <<<"$text" || { echo "cris $first $second has no $option"; wrong=1; }
  done
done <commands.txt
verdict "  which the program has, with their options" "$wrong"

wrong=0
for key in $(grep -ohE -- '--set [a-z_]+\.[a-z_]+' "${pages[@]}" | cut -c7- | grep -v section.key | sort -u); do
  grep -qF "| \`$key\` |" "$root/docs/reference/configuration.md" || { echo "there is no setting $key"; wrong=1; }
done
verdict "  and their settings" "$wrong"

wrong=0
for script in $(grep -ohE '\btools/[a-z_]+\.(sh|py)' "${pages[@]}" | sort -u); do [ -e "$root/$script" ] || { echo "there is no $script"; wrong=1; }; done
verdict "  and their scripts" "$wrong"

# The quick start, on real images of one's own as far as it can know. CRIS spares it the build.
"$cris" data synthesize data --count 24 --size 40 >/dev/null
CRIS=$cris "$root/tools/quickstart.sh" --data data -o out --epochs 2 --size 32 --base 2 >quick.txt 2>/dev/null
verdict "the quick start trains four strategies" $?
shown=$(grep -A 4 '^strategy ' "$root/README.md" | awk '{ print $1, NF }') got=$(grep -A 4 '^strategy ' quick.txt | awk '{ print $1, NF }')
[ -n "$shown" ] && [ "$shown" = "$got" ]
verdict "  and ends with the table that the README shows" $?
"$root/tools/strategies_picture.py" out strategies.svg && [ "$(grep -c '<image ' strategies.svg)" = "$(grep -c '<image ' "$root/docs/strategies.svg")" ]
verdict "  from which the picture of the README is drawn" $?
"$cris" study report "$root/docs/study/records" -o study.html >study.txt && python3 - "$root/docs" <<'PYTHON'
import pathlib, re, sys
docs = pathlib.Path(sys.argv[1])
report, page = open("study.txt").read(), open("study.html").read()
results = "".join((docs / "results.md").read_text().split("## ")[1:3]).replace("**", "")
shown = [m.replace(" ", "") for m in re.findall(r"\d+\.\d\d ± \d+\.\d\d", results)]
shown += [m.strip("()") for m in re.findall(r"\(-?\d+\.\d\d to -?\d+\.\d\d\)", results)]
figures = list((docs / "study").glob("*.svg"))
wrong = [s for s in shown if s not in report] + [f.name for f in figures if f.read_text() not in page]
print("not in the report:", wrong) if wrong else None
sys.exit(bool(wrong) or len(shown) < 58 or len(figures) != 3)
PYTHON
verdict "the numbers and figures of what was measured are those of the records" $?
finish
