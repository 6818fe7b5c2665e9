#!/usr/bin/env bash
# Pictures of a report as a browser shows it: at 400, 1280 and 1920 pixels, light and dark, and as a PDF. Fails when a table or a
# picture is wider than its page, or a picture did not load.
#   tools/render_report.sh REPORT.html OUT       needs chromium (apt-get install chromium)
set -euo pipefail
[ $# -eq 2 ] || { sed -n '2,4s/^# \{0,1\}//p' "$0" >&2; exit 2; }
page=$(realpath "$1") out=$2
browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome) || { echo "render_report: no chromium here: apt-get install chromium" >&2; exit 2; }
mkdir -p "$out"
out=$(realpath "$out")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
browse() { "$browser" --headless --no-sandbox --disable-gpu --hide-scrollbars --user-data-dir="$scratch/profile" "$@" 2>/dev/null; }

# A copy of the page whose script writes what is wrong into the document; the page itself needs none. A frame of the wanted width
# holds it, for a browser's window has a least width.
{ cat "$page"; cat <<'SCRIPT'; } >"$scratch/page.html"
<script>
addEventListener("load", () => {
  const wide = document.documentElement.clientWidth, wrong = [];
  for (const e of document.querySelectorAll("table,img,svg,pre,figure"))
    if (e.getBoundingClientRect().right > wide + 1) wrong.push(e.tagName + " is wider than the page: " + e.textContent.slice(0, 60));
  for (const e of document.images) if (!e.naturalWidth) wrong.push("a picture did not load: " + e.alt);
  parent.postMessage(JSON.stringify({tables: document.querySelectorAll("table").length, images: document.images.length, height: document.documentElement.scrollHeight, wrong}), "*");
});
</script>
SCRIPT
status=0
for width in 400 1280 1920; do
  cat >"$scratch/frame.html" <<FRAME
<body style="margin:0"><iframe src="page.html" style="border:0;width:${width}px;height:2000px"></iframe><pre id="found"></pre>
<script>addEventListener("message", e => document.getElementById("found").textContent = e.data)</script></body>
FRAME
  found=$(browse --window-size=2000,2000 --virtual-time-budget=20000 --dump-dom "file://$scratch/frame.html" | sed -n 's/.*<pre id="found">\(.*\)<\/pre>.*/\1/p')
  height=$(sed -n 's/.*"height":\([0-9]*\).*/\1/p' <<<"$found")
  if grep -q '"wrong":\[\]' <<<"$found"; then echo "ok $width pixels: $(sed 's/,"height.*//; s/[{"]//g; s/,/, /' <<<"$found")"; else echo "FAILED $width pixels: $found"; status=1; fi
  sed -i "s/height:2000px/height:${height:-2000}px/" "$scratch/frame.html"
  for theme in light dark; do
      blink=$([ $theme = dark ] && echo 0 || echo 1)
    browse --window-size="$width,${height:-2000}" --virtual-time-budget=20000 --blink-settings=preferredColorScheme="$blink" --screenshot="$out/$width-$theme.png" "file://$scratch/frame.html"
    [ -s "$out/$width-$theme.png" ] || { echo "FAILED $width-$theme.png was not made"; status=1; }
  done
done
browse --no-pdf-header-footer --print-to-pdf="$out/report.pdf" "file://$page"
[ -s "$out/report.pdf" ] || { echo "FAILED report.pdf was not made"; status=1; }
echo "$out"
exit $status
