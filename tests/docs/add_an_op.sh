#!/usr/bin/env bash
# docs/reference/add-an-op.md is true: in a copy of the checkout its two diffs apply, touch as few files as it says, and
# build; the new ops agree on every device and with central differences; and a wrong gradient is found.
# Prints `ok NAME` or `FAILED NAME` a check. Takes a minute or two.
set -uo pipefail
root=$(cd "$(dirname "$0")/../.." && pwd)
source "$root/tests/checks.bash"
(cd "$root" && git ls-files -z | tar --null --ignore-failed-read -T - -cf - 2>/dev/null) | tar xf - -C "$scratch"
cd "$scratch" || exit 1
page=docs/reference/add-an-op

applies() {  # OP FILES: its diff applies and touches at most so many files
  git apply "$page/$1.patch" && [ "$(grep -c '^diff --git' "$page/$1.patch")" -le "$2" ]
}
check "the diff of leaky_relu applies and touches at most 4 files" applies leaky_relu 4
check "the diff of average_pool2d applies and touches at most 9 files" applies average_pool2d 9

shown_is_true() {  # every line that the page shows as added stands in one of the diffs
  sed -n '/^```diff/,/^```$/p' $page.md | grep '^+' >shown && ! grep -vxFf <(cat $page/*.patch) shown
}
check "the lines that the page shows are those of the diffs" shown_is_true

make() { cmake --build build --target check_op; }
configure_and_make() {
  cmake -S . -B build -G Ninja -DCMAKE_BUILD_TYPE=Debug -DCMAKE_CXX_FLAGS_DEBUG=-O0 -DCMAKE_UNITY_BUILD=ON \
    -DCRIS_CUDA=EMULATED && make
}
check "both ops build" configure_and_make
check "both ops agree with central differences, and on reference, cpu and cuda with f64" \
  build/tests/check_op leaky_relu average_pool2d

finds_wrong() {  # OP FILE FROM TO: with this change of the gradient, which builds, the op's gradient does not agree
  cp "$2" right
  sed -i "s|$3|$4|" "$2" && ! cmp -s right "$2" && make && build/tests/check_op "$1" >wrong
  [ $? -eq 1 ] && grep 'WRONG.*gradients' wrong
  local found=$?
  cp right "$2"
  return "$found"
}
check "a wrong gradient of leaky_relu is found" \
  finds_wrong leaky_relu autograd/elementwise.cpp 'LeakyReluGrad{slope}' 'LeakyReluGrad{1.0001 * slope}'
check "a wrong gradient of average_pool2d is found" finds_wrong average_pool2d tensor/reference/pool.cpp \
  '+= from\[i\] / T(z.kernel \* z.kernel)' '-= from[i] / T(z.kernel * z.kernel)'
finish
