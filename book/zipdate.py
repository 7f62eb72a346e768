"""zipdate.py FILE SECONDS -- finish an EPUB: every member gets the same date, so that
weaving twice gives the same bytes, and the package says how it can be read, for which
pandoc has no option (EPUB Accessibility 1.1, section 2)."""
import sys
import time
import zipfile

HOW = {
    "accessMode": ["textual", "visual"],
    "accessModeSufficient": ["textual,visual"],
    "accessibilityFeature": ["alternativeText", "MathML", "structuralNavigation", "tableOfContents", "readingOrder"],
    "accessibilityHazard": ["none"],
    "accessibilitySummary": ["Text, code and mathematics can be read aloud. The alternative text of a figure is its caption."],
}
path, seconds = sys.argv[1], int(sys.argv[2])
when = max(time.gmtime(seconds)[:6], (1980, 1, 1, 0, 0, 0))
lines = "".join(f'    <meta property="schema:{k}">{v}</meta>\n' for k, vs in HOW.items() for v in vs)
with zipfile.ZipFile(path) as z:
    members = [(i.filename, i.compress_type, z.read(i)) for i in z.infolist()]
with zipfile.ZipFile(path, "w") as z:
    for name, kind, data in members:
        if name.endswith("content.opf"):
            before, end, after = data.partition(b"  </metadata>")
            if not end:
                sys.exit(f"zipdate.py: {path}: {name} has no </metadata>")
            data = before + lines.encode() + end + after
        info = zipfile.ZipInfo(name, when)
        info.compress_type = kind
        z.writestr(info, data)
