#!/usr/bin/env python3
"""Every link between the pages of a site leads to a file, and none of its pictures, scripts and styles is fetched from
elsewhere.

    check_site.py FOLDER"""

import html.parser
import pathlib
import sys
import urllib.parse

LOADED = {("img", "src"), ("script", "src"), ("link", "href")}


class Links(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.all = []

    def handle_starttag(self, tag, attributes):
        kept = dict(attributes)
        if kept.get("rel") == "canonical":
            return
        self.all += [(tag, name, kept[name]) for name in ("href", "src") if kept.get(name)]


def main():
    folder = pathlib.Path(sys.argv[1]).resolve()
    pages, wrong = 0, []
    for path in sorted(folder.rglob("*.html")):
        if "api" in path.relative_to(folder).parts[:1]:
            continue  # Doxygen's own
        pages += 1
        links = Links()
        links.feed(path.read_text())
        for tag, name, to in links.all:
            url = urllib.parse.urlparse(to)
            if url.scheme or url.netloc:
                if (tag, name) in LOADED and url.scheme != "data":
                    wrong.append("%s loads %s" % (path.name, to))
            elif url.path and not (path.parent / urllib.parse.unquote(url.path)).exists():
                wrong.append("%s leads to %s, which does not exist" % (path.relative_to(folder), to))
    for line in wrong:
        print("FAILED " + line)
    print("%d pages, %d wrong links" % (pages, len(wrong)))
    sys.exit(bool(wrong) or pages == 0)


main()
