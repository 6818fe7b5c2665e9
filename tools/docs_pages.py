#!/usr/bin/env python3
"""Prepares the pages of the site, for mkdocs: README.md becomes the first page, and every file of the sources that a page
links to becomes a page too, so that no link leaves the site.

    docs_pages.py OUT"""

import os
import pathlib
import re
import shutil
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
LINK = re.compile(r"\]\(([^)\s#]+)(#[^)\s]*)?\)")
PAGES = {".md"}
PICTURES = {".svg", ".png"}


def target(path):
    """Where in the site a file of the project is."""
    inside = path.relative_to(ROOT)
    if inside == pathlib.PurePath("README.md"):
        return pathlib.PurePath("index.md")
    if inside.parts[0] == "docs" and path.suffix in PAGES | PICTURES:
        return inside.relative_to("docs")
    return pathlib.PurePath("source", str(inside) + ".md")


def source_page(path):
    inside = path.relative_to(ROOT)
    if path.is_dir():
        names = sorted(p.name + "/" * p.is_dir() for p in path.iterdir())
        return "# %s\n\n%s" % (inside, "".join("- %s\n" % n for n in names))
    language = {".toml": "toml", ".sh": "bash", ".patch": "diff"}.get(path.suffix, "cpp")
    return "# %s\n\n~~~~%s\n%s\n~~~~\n" % (inside, language, path.read_text().rstrip("\n"))


def main():
    out = pathlib.Path(sys.argv[1])
    shutil.rmtree(out, ignore_errors=True)
    linked = set()

    def page(path):
        here = target(path)

        def link(match):
            to = (path.parent / match[1]).resolve()
            if re.match(r"[a-z]+:", match[1]) or not to.exists():
                return match[0]
            if target(to).parts[0] == "source":
                linked.add(to)
            return "](%s%s)" % (os.path.relpath(target(to), here.parent), match[2] or "")

        parts = re.split(r"(^```.*?^```$)", path.read_text(), flags=re.S | re.M)  # links of fenced code are none
        text = "".join(p if p.startswith("```") else LINK.sub(link, p) for p in parts)
        write(out / here, text)

    def write(place, text):
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    for path in [ROOT / "README.md"] + sorted((ROOT / "docs").rglob("*.md")):
        page(path)
    for path in linked:
        write(out / target(path), source_page(path))
    for path in (ROOT / "docs").rglob("*"):
        if path.suffix in PICTURES:
            place = out / target(path)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


main()
