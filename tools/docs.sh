#!/usr/bin/env bash
# Builds the site: the pages of docs/ by mkdocs, the API by Doxygen. It needs no network to be read.
#   tools/docs.sh [OUT]     OUT: build/site/html by default; open OUT/index.html
set -euo pipefail
cd "$(dirname "$0")/.."
out=$(realpath -m "${1:-build/site/html}")

tools/setup.sh docs
tools/docs_pages.py build/site/pages
mkdocs build --quiet --config-file docs/mkdocs.yml --site-dir "$out" 2> >(grep -v "api/files.html" >&2)
# The colours of code, in the light and in the dark.
{ pygmentize -S default -f html -a .code && echo "@media (prefers-color-scheme: dark) {" && pygmentize -S native -f html -a .code && echo "}"; } |
  grep -v -e linenos -e '^pre' -e '^\.code *{' >"$out/code.css"
{ cat docs/Doxyfile; echo "OUTPUT_DIRECTORY = $out/api"; } >build/site/Doxyfile
mkdir -p "$out/api"
doxygen build/site/Doxyfile
tools/check_site.py "$out"
