#!/usr/bin/env python3
"""Keeps the pages of docs/ true. What they quote is taken from the sources, what they print from the programs.

    pages.py fill quotes                   writes every quoted piece of code anew
    pages.py fill CHAPTER.md PROGRAM...    runs the programs, and writes their output and their figures anew
    pages.py check quotes
    pages.py check CHAPTER.md PROGRAM...   exit status 1 where the page or a figure differs

A page marks what is filled, each time with a fenced block behind it:

    <!-- quote FILE NAME -->               the definition of NAME with the comment above it, and a link to it
    <!-- quote FILE from TEXT to TEXT -->  the lines from the first that holds one text to the next that holds the other
    <!-- output N -->                      part N of what the programs print; parts are separated by empty lines

Numbers are compared with a tolerance, since other processors round otherwise: two units of the last digit shown, or
what the page asks for by <!-- tolerance 0.05 --> (relative). A number behind a ~ is a measured time: any will do."""

import os
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIGURES = ROOT / "docs" / "course" / "figures"
BLOCK = re.compile(r"(<!-- (quote|output) ([^\n]*?) ?-->\n)(.*?```[a-z]*\n)(.*?)(```\n)", re.S)
NUMBER = re.compile(r"~?(?<![\w.#])-?\d+(?:\.\d+)?(?:e[+-]?\d+)?(?![\w.]*[a-zA-Z_])|~?-?\d+(?:\.\d+)?")


# ---- quotes ----------------------------------------------------------------------------------------------------------
def code_of(line):
    """The line without strings, characters and a comment at its end: what brackets are counted in."""
    line = re.sub(r'"(\\.|[^"\\])*"', '""', line)
    line = re.sub(r"'(\\.|[^'\\])'", "''", line)
    return line.split("//")[0].rstrip()


def end_of(lines, first):
    """The last line of the statement or definition that begins in line `first`."""
    depth = 0
    for i in range(first, len(lines)):
        code = code_of(lines[i])
        depth += sum(code.count(c) for c in "({[") - sum(code.count(c) for c in ")}]")
        if depth <= 0 and code.endswith((";", "}", "},")):
            return i
    raise LookupError("no end of what begins in line %d" % (first + 1))


def definition(lines, name):
    """The first and the last line of what defines `name`: a body is preferred to a declaration."""
    found = [i for i, line in enumerate(lines) if name in code_of(line)]
    if not found:
        raise LookupError("nothing is called " + name)
    spans = [(i, end_of(lines, i)) for i in found]
    first, last = next((s for s in spans if "{" in "".join(map(code_of, lines[s[0]:s[1] + 1]))), spans[0])
    while first > 0 and lines[first - 1].lstrip().startswith(("///", "template")):
        first -= 1
    return first, last


def quoted(what):
    """The code that a quote asks for, without the indentation that all its lines share."""
    file, _, rest = what.partition(" ")
    lines = (ROOT / file).read_text().splitlines()
    between = re.fullmatch(r"from (.+) to (.+)", rest)
    try:
        if between:
            first = next(i for i, line in enumerate(lines) if between[1] in line)
            last = next(i for i in range(first, len(lines)) if between[2] in lines[i])
        else:
            first, last = definition(lines, rest)
    except (LookupError, StopIteration):
        raise SystemExit("%s: no `%s` to quote" % (file, rest))
    piece = lines[first:last + 1]
    indent = min(len(line) - len(line.lstrip()) for line in piece if line.strip())
    return "\n".join(line[indent:] for line in piece) + "\n"


def caption(page, what):
    """The link that stands above a quote: the file, and the name if there is one."""
    file, _, rest = what.partition(" ")
    link = "[%s](%s)" % (file, os.path.relpath(ROOT / file, page.parent))
    if rest.startswith("from "):
        return link + ":\n\n"
    name = rest.rstrip(" {")
    name = name if name.endswith("operator()") else name.split("(")[0]
    return "%s `%s`:\n\n" % (link, name.split()[-1])


# ---- what programs print ---------------------------------------------------------------------------------------------
def run(program):
    """What the program prints, part by part, and its figures by name."""
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run([program, folder], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit("%s ended with %d: %s" % (program, done.returncode, done.stderr))
        figures = {p.name: p.read_text() for p in pathlib.Path(folder).iterdir()}
    return [part + "\n" for part in done.stdout.strip("\n").split("\n\n")], figures


def close(shown, got, tolerance):
    if shown.startswith("~"):
        return got.startswith("~")
    if got.startswith("~"):
        return False
    last = 10.0 ** -len(shown.split("e")[0].partition(".")[2])  # one unit of the last digit
    if "e" in shown:
        last *= 10.0 ** int(shown.split("e")[1])
    whole = "." not in shown and "e" not in shown
    return abs(float(shown) - float(got)) <= max(0 if whole else 2.001 * last, tolerance * abs(float(shown)))


def same(shown, got, tolerance):
    """Equal but for spaces, and for numbers that are close."""
    def words(text):
        return [re.sub(r"\s+", " ", w).strip(" ") for w in NUMBER.split(text)]
    a, b = NUMBER.findall(shown), NUMBER.findall(got)
    return words(shown) == words(got) and len(a) == len(b) and all(close(x, y, tolerance) for x, y in zip(a, b))


# ---- pages -----------------------------------------------------------------------------------------------------------
def work(pages, kind, text_of, is_same, fill):
    """Goes through the blocks of that kind; returns what differs, or puts it right."""
    wrong, seen = [], []
    for page in pages:
        def block(match):
            head, what, argument, lead, old, tail = match.groups()
            if what != kind:
                return match[0]
            new = text_of(argument)
            seen.append(argument)
            fence = lead[lead.rindex("```"):]
            above = caption(page, argument) if kind == "quote" else lead[:-len(fence)]
            if is_same(old, new) and lead == above + fence:
                return match[0]
            wrong.append("%s: %s %s differs:\n%s" % (page.relative_to(ROOT), kind, argument, new))
            return head + above + fence + new + tail
        before = page.read_text()
        after = BLOCK.sub(block, before)
        markers = len(re.findall("^<!-- (?:quote|output) ", before, re.M))
        if markers != len(BLOCK.findall(before)):
            wrong.append("%s: has %d markers and %d blocks" % (page.relative_to(ROOT), markers, len(BLOCK.findall(before))))
        if fill and after != before:
            page.write_text(after)
    return wrong, seen


def main():
    if len(sys.argv) < 3 or sys.argv[1] not in ("fill", "check"):
        raise SystemExit(__doc__)
    fill = sys.argv[1] == "fill"
    if sys.argv[2] == "quotes":
        wrong, seen = work(sorted((ROOT / "docs").rglob("*.md")), "quote", quoted, str.__eq__, fill)
        if not seen:
            wrong.append("no page quotes anything")
    else:
        page = pathlib.Path(sys.argv[2]).resolve()
        text = page.read_text()
        tolerance = float((re.search(r"<!-- tolerance ([\d.]+) -->", text) or [0, 0])[1])
        parts, figures = [], {}
        for program in sys.argv[3:]:
            printed, drawn = run(program)
            parts += printed
            figures.update(drawn)
        compare = str.__eq__ if fill else lambda a, b: same(a, b, tolerance)
        wrong, seen = work([page], "output", lambda n: parts[int(n) - 1], compare, fill)
        for n in range(len(parts)):
            if str(n + 1) not in seen:
                wrong.append("%s does not show part %d of what its program prints" % (page.name, n + 1))
                fill and print(wrong[-1])
        for name, drawn in figures.items():
            kept = FIGURES / name
            if not kept.exists() or not compare(kept.read_text(), drawn):
                wrong.append("figures/%s differs from what the program draws" % name)
                fill and kept.write_text(drawn)
            if "figures/" + name not in text:
                wrong.append("%s does not show figures/%s" % (page.name, name))
    if not fill and wrong:
        raise SystemExit("\n".join(wrong) + "\nwhere that is right: docs/course/pages.py fill " + " ".join(sys.argv[2:]))


main()
