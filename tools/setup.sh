#!/usr/bin/env bash
# Installs what the build and the tests need and this machine lacks (Debian packages). Does nothing when all is there.
#   tools/setup.sh [clang]    with clang and its sanitizers, for the presets clang and fuzz
#   tools/setup.sh docs       with what tools/docs.sh needs
#   tools/setup.sh onnx       with what `cris export` is built with
set -euo pipefail

packages=(g++ cmake ninja-build pkg-config libfmt-dev libcli11-dev nlohmann-json3-dev libtomlplusplus-dev libstb-dev
  libjpeg-dev libtiff-dev zlib1g-dev librandom123-dev doctest-dev python3)

[ "${1:-}" = clang ] && packages+=(clang libclang-rt-dev)
[ "${1:-}" = docs ] && packages+=(mkdocs doxygen python3-pygments)
[ "${1:-}" = onnx ] && packages+=(libonnx-dev libprotobuf-dev protobuf-compiler)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}"
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "setup: run as root once: apt-get install ${missing[*]}" >&2; exit 1; }
  as_root=(sudo)
fi
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
