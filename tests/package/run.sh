#!/usr/bin/env bash
# The Debian package in an empty Debian: cpack makes it of a build, it is installed there with what it depends on, trains,
# evaluates, reports without network, and leaves nothing behind when it is removed. As root, with debootstrap and a mirror.
#   tests/package/run.sh BUILD [ROOT]     a copy of the empty Debian in ROOT, else a new one; prints `ok NAME` or `FAILED NAME` a check
set -uo pipefail
build=$(realpath "${1:?usage: $0 BUILD [ROOT]}") base=${2:-}
source "$(dirname "$0")/../checks.bash"
root=$scratch/root
within() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 chroot "$root" "$@"; }
alone() { unshare -n env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root chroot "$root" sh -c "cd /work && $1"; }

packs() { (cd "$build" && cpack -G DEB -B "$scratch/packages" && ls "$scratch"/packages/cris_*.deb "$scratch"/packages/libcris-dev_*.deb); }
check "cpack makes both packages" packs
depends() { dpkg-deb -f "$scratch"/packages/cris_*.deb Depends | tee /dev/stderr | grep 'libfmt9' | grep 'libc6 (>= '; }
check "the program's package names the libraries that it is linked with" depends

if [ -n "$base" ]; then cp -a "$base" "$root"; else debootstrap --variant=minbase bookworm "$root" >"$scratch/log"; fi || exit 1
mkdir -p "$root/work" && cp "$scratch"/packages/*.deb "$root/work/" || exit 1
cp /etc/resolv.conf "$root/etc/" 2>/dev/null
(cd "$root" && find usr etc -not -type d) | sort >"$scratch/before"
installs() { within apt-get update && within sh -c 'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends /work/cris_*.deb'; }
check "it installs into an empty Debian" installs
check "it runs there" within cris --version
check "without network it makes a set" alone "cris data synthesize data --count 12 --size 32"
check "trains" alone "cris train --data data --base 4 --size 32 --epochs 2 --strategy cris -o run"
check "evaluates" alone "cris eval run"
check "and reports" alone "cris report run -o report.html && test -s report.html"
check "it is removed" within apt-get remove -y cris
leaves_nothing() { ! (cd "$root" && find usr etc -not -type d) | sort | comm -13 "$scratch/before" - | grep -i cris; }
check "and leaves no file behind" leaves_nothing
finish
