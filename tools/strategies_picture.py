#!/usr/bin/env python3
"""Draws the picture of the README from what tools/quickstart.sh leaves: three test images, their truth, and the
probability map of each strategy, with its mean Dice over the test set.

    strategies_picture.py quickstart/synthetic docs/strategies.svg"""

import base64
import json
import pathlib
import sys

SIDE, GAP, TOP = 150, 10, 44
COLUMNS = [("image", None), ("truth", None)] + [(s, s) for s in ("backbone", "fcn", "crf", "cris")]


def picture(path, x, y):
    data = base64.b64encode(path.read_bytes()).decode()
    return '<image x="%d" y="%d" width="%d" height="%d" href="data:image/png;base64,%s"/>\n' % (x, y, SIDE, SIDE, data)


def main():
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    names = sorted(p.name[:-len("_image.png")] for p in (folder / "backbone" / "maps").glob("*_image.png"))
    width, height = len(COLUMNS) * (SIDE + GAP) - GAP, TOP + len(names) * (SIDE + GAP) - GAP
    svg = ('<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" '
           'aria-label="Three procedural test images, their truth, and the maps of four strategies" '
           'font-family="system-ui, sans-serif" font-size="15" text-anchor="middle">\n'
           "<style>text { fill: #1c2430; } .small { font-size: 12px; fill: #5b6675; } @media (prefers-color-scheme: dark) "
           "{ text { fill: #e2e7ee; } .small { fill: #a5b1bf; } }</style>\n") % (width, height, width, height)
    for c, (title, strategy) in enumerate(COLUMNS):
        x = c * (SIDE + GAP)
        svg += '<text x="%d" y="17">%s</text>\n' % (x + SIDE / 2, title)
        if strategy:
            evaluation = json.loads((folder / strategy / "evaluation.json").read_text())
            dice = evaluation["chosen_on_training_set"]["dice"]
            svg += '<text class="small" x="%d" y="34">Dice %.3f</text>\n' % (x + SIDE / 2, dice)
        kind = {"image": "image", "truth": "mask"}.get(title, "probability")
        for r, name in enumerate(names):
            maps = folder / (strategy or "backbone") / "maps"
            svg += picture(maps / ("%s_%s.png" % (name, kind)), x, TOP + r * (SIDE + GAP))
    out.write_text(svg + "</svg>\n")


main()
