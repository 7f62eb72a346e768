"""webcheck.py SITE -- is the HTML book sound?  Nothing but Python's own library.

Links and their targets, labels used twice, one title and one level-1 heading a page, the
order of headings, language, landmarks, a text for every image, the colours of both
palettes against WCAG 2.1 AA.  One line a fault; the last line sums up.
"""
import os
import re
import sys
from html.parser import HTMLParser
from urllib.parse import unquote

# Which colours stand on which ground in book.css and site.css, and the least contrast.
PAIRS = [(ink, ground, 4.5) for ink in ("text", "ink", "remark", "string", "link") for ground in ("paper", "shade")]
PAIRS += [("link", "paper", 3.0), ("remark", "paper", 3.0)]     # the focus ring, the edge of the search field


class Page(HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.ids, self.links, self.heads, self.images, self.files = [], [], [], [], []
        self.title, self.in_title, self.lang, self.count, self.unnamed = "", False, None, {}, 0
        with open(path, encoding="utf-8") as f:
            self.feed(f.read())

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.count[tag] = self.count.get(tag, 0) + 1
        if "id" in a:
            self.ids.append(a["id"])
        if tag == "a" and "href" in a:
            self.links.append(a["href"])
        if tag in ("link", "script") and (a.get("href") or a.get("src")):
            self.files.append(a.get("href") or a.get("src"))
        if re.fullmatch("h[1-6]", tag):
            self.heads.append(int(tag[1]))
        if tag == "img":
            self.images.append((a.get("src", ""), a.get("alt", "")))
        if tag == "nav" and not a.get("aria-label"):
            self.unnamed += 1
        if tag == "html":
            self.lang = a.get("lang")
        self.in_title = tag == "title" or self.in_title and tag != "title"

    def handle_endtag(self, tag):
        if tag == "title":
            self.in_title = False

    def handle_data(self, data):
        if self.in_title:
            self.title += data


def light(colour):
    """Relative luminance, as WCAG 2.1 defines it."""
    part = [int(colour[i:i + 2], 16) / 255 for i in (1, 3, 5)]
    part = [c / 12.92 if c <= .03928 else ((c + .055) / 1.055) ** 2.4 for c in part]
    return .2126 * part[0] + .7152 * part[1] + .0722 * part[2]


def palettes(css):
    """The two sets of --name: #colour of book.css, light and dark."""
    found = [dict(re.findall(r"--(\w+): (#[0-9a-fA-F]{6})", block)) for block in re.findall(r":root \{([^}]*)\}", css)]
    return list(zip(("light", "dark"), found))


def check(site):
    pages = {n: Page(os.path.join(site, n)) for n in sorted(os.listdir(site)) if n.endswith(".html")}
    titles = {}
    if "index.html" not in pages:
        yield f"{site}: there is no index.html; run make html"
    for name, p in pages.items():
        for i in sorted({i for i in p.ids if p.ids.count(i) > 1}):
            yield f"{name}: the label {i} stands twice"
        for link in p.links:
            if re.match(r"[a-z]+:", link):
                continue
            to, _, label = link.partition("#")
            to = to or name
            if to not in pages:
                yield f"{name}: a link to {to}, which is no page"
            elif label and unquote(label) not in pages[to].ids:
                yield f"{name}: a link to {to}, which has no #{label}"
        if p.heads[:1] != [1] or p.heads.count(1) != 1:
            yield f"{name}: the levels of its headings are {p.heads[:6]}, not 1 and then others"
        for a, b in zip(p.heads, p.heads[1:]):
            if b > a + 1:
                yield f"{name}: a heading of level {b} after one of level {a}"
        for src, alt in p.images:
            if not alt.strip():
                yield f"{name}: {src} has no alt text"
        for file in p.files + [src for src, _ in p.images]:
            if not os.path.exists(os.path.join(site, file)):
                yield f"{name}: there is no {file}"
        if p.lang != "en":
            yield f"{name}: lang is {p.lang}"
        if p.count.get("main") != 1 or p.count.get("header") != 1 or p.unnamed:
            yield f"{name}: wants one main, one header, and a label at each nav"
        titles.setdefault(p.title.strip(), []).append(name)
    for title, names in titles.items():
        if not title or len(names) > 1:
            yield f"{' '.join(names)}: the title is “{title}”"
    with open(os.path.join(site, "book.css"), encoding="utf-8") as f:
        sets = palettes(f.read())
    if len(sets) != 2:
        yield f"book.css: {len(sets)} palettes, wanted a light and a dark one"
    for which, colours in sets:
        for ink, ground, least in PAIRS:
            if ink not in colours or ground not in colours:
                yield f"book.css: {which} has no --{ink} or no --{ground}"
                continue
            a, b = sorted((light(colours[ink]), light(colours[ground])))
            if (b + .05) / (a + .05) < least:
                yield f"book.css: {which}, --{ink} on --{ground}: contrast {(b + .05) / (a + .05):.2f}, wanted {least}"
    print(f"check-html: {len(pages)} pages, {sum(len(p.links) for p in pages.values())} links, "
          f"{sum(len(p.images) for p in pages.values())} figures looked at")


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    bad = 0
    for fault in check(sys.argv[1]):
        bad += 1
        print(f"check-html: {fault}", file=sys.stderr)
    if bad:
        sys.exit(f"check-html: {bad} faults in {sys.argv[1]}")
    print(f"check-html: {sys.argv[1]} is sound")


main()
