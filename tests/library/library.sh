#!/usr/bin/env bash
# The library as other projects use it: what was built is installed into a scratch folder, the program of
# docs/reference/library.md is built against it as the page says, and learns; every installed header compiles; and CRIS is
# configured inside a project whose targets have its layers' names.
#   library.sh BUILD COMPILER    prints `ok NAME` or `FAILED NAME` a check
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
build=$(realpath "${1:?usage: $0 BUILD COMPILER}") compiler=${2:-c++}
source "$root/tests/checks.bash"
cd "$scratch" || exit 1

installed() {
  cmake --install "$build" --prefix "$scratch/prefix" &&
    [ -f prefix/include/cris/nn/linear.h ] && [ ! -e prefix/include/cris/tensor/cpu ] && prefix/bin/cris --version
}
check "what was built installs into a folder" installed
manual() {
  grep -q 'TH' prefix/share/man/man1/cris-train.1 && bash -n prefix/share/bash-completion/completions/cris &&
    [ -s prefix/share/zsh/vendor-completions/_cris ] && [ -s prefix/share/fish/vendor_completions.d/cris.fish ]
}
check "manual pages and completions too" manual

mkdir mlp
for part in cpp cmake; do
  file=mlp/$([ $part = cpp ] && echo mlp.cpp || echo CMakeLists.txt)
  sed -n "/^\`\`\`$part/,/^\`\`\`\$/p" "$root/docs/reference/library.md" | sed '1d;$d' >"$file"
done
builds() {
  cmake -S mlp -B mlp/build -DCMAKE_PREFIX_PATH="$scratch/prefix" -DCMAKE_CXX_COMPILER="$compiler" && cmake --build mlp/build
}
check "the program of the page builds against it" builds
learns() { mlp/build/mlp >losses && awk 'NR == 1 { first = $4 } END { exit !(NR == 4 && $4 < 0.1 && $4 < first) }' losses; }
check "and learns" learns

compiles() {  # together, once in order and once in the reverse, so that most headers come first somewhere
  (cd prefix/include/cris && find . -name '*.h' | sed 's|^\./|#include "|; s|$|"|' | sort) >headers
  [ "$(wc -l <headers)" -gt 90 ] && "$compiler" -std=c++20 -fsyntax-only -I prefix/include/cris -x c++ headers &&
    tac headers | "$compiler" -std=c++20 -fsyntax-only -I prefix/include/cris -x c++ -
}
check "every installed header compiles" compiles

inside() { cmake -S "$root/tests/library/subproject" -B inside -DCRIS="$root" -DCMAKE_CXX_COMPILER="$compiler"; }
check "inside another project no target clashes, and nothing leaks" inside
finish
