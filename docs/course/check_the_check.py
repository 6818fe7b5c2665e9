#!/usr/bin/env python3
"""Every chapter has its exercises and as many solutions; docs/course/check takes the right answers and no wrong ones.

    check_the_check.py SOLUTIONS-PROGRAM"""

import os
import pathlib
import re
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent


def refused(chapter, answers):
    """How many of the answers docs/course/check does not take."""
    command = [sys.executable, HERE / "check", str(chapter)] + ["%d=%s" % (i + 1, a) for i, a in enumerate(answers)]
    done = subprocess.run(command, env=dict(os.environ, COURSE_SOLUTIONS=sys.argv[1]), capture_output=True, text=True)
    refusals = done.stdout.count("not yet")
    assert refusals + done.stdout.count("right") == len(answers) and done.returncode == (refusals > 0), done.stderr
    return refusals


def wrong(answer):
    try:
        return str(float(answer) * 1.5 + 1)
    except ValueError:
        return "not-" + answer


failed = 0
pages = sorted(HERE.glob("[0-9][0-9]-*.md"))
for page in pages:
    chapter = int(page.name[:2])
    asked = len(re.findall(r"^\d+\. ", page.read_text().partition("## Exercises")[2], re.M))
    answers = subprocess.run([sys.argv[1], str(chapter)], capture_output=True, text=True).stdout.split()
    ok = asked == len(answers) >= 3 and refused(chapter, answers) == 0
    ok = ok and refused(chapter, [wrong(a) for a in answers]) == asked
    print("%s %s: %d exercises, %d answers" % ("ok" if ok else "FAILED", page.name, asked, len(answers)))
    failed += not ok
sys.exit(failed > 0 or not pages)
