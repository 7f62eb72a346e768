"""page.py PDF PNG PAGE... -- pages of the book side by side, for the README.

A PAGE is a number, or words: then the first page on which they stand, in the typewriter
or any other face.  Needs pdftoppm and pdftotext, and nothing of Python but itself.
"""
import struct
import subprocess
import sys
import zlib

DPI, GAP, EDGE, GROUND, MOST = 84, 14, 10, (228, 228, 228), 200_000


def page_of(pdf, words):
    if words.isdigit():
        return int(words)
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True).stdout
    for n, page in enumerate(text.split("\f"), 1):
        if words in " ".join(page.split()):
            return n
    sys.exit(f"page.py: {pdf} has no page with “{words}”")


def picture(pdf, n):
    """Width and height of one page, and its bytes, three a point."""
    ppm = subprocess.run(["pdftoppm", "-r", str(DPI), "-f", str(n), "-l", str(n), pdf], capture_output=True, check=True).stdout
    width, height = map(int, ppm.split(None, 3)[1:3])
    return width, height, ppm[-3 * width * height:]


def beside(pictures, step):
    """Rows of colours, of all pages side by side; each colour a multiple of `step`, or white."""
    round_ = bytes(min(255, (v + step // 2) // step * step) for v in range(256))
    rows = []
    for y in range(max(h for _, h, _ in pictures)):
        row = [GROUND] * EDGE
        for i, (w, h, data) in enumerate(pictures):
            line = data[3 * w * y:3 * w * (y + 1)].translate(round_) or bytes(GROUND) * w
            row += [GROUND] * (GAP if i else 0) + list(zip(line[::3], line[1::3], line[2::3]))
        rows.append(row + [GROUND] * EDGE)
    blank = [[GROUND] * len(rows[0])] * EDGE
    return blank + rows + blank


def png(pictures):
    """A PNG of at most 256 colours, in the finest steps that give no more."""
    for step in (1, 3, 5, 8, 12, 17, 24, 32, 43, 64):
        rows = beside(pictures, step)
        colours = sorted({c for row in rows for c in row})
        if len(colours) <= 256:
            break
    number = {c: i for i, c in enumerate(colours)}
    body = b"".join(b"\0" + bytes(number[c] for c in row) for row in rows)

    def part(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    return (b"\x89PNG\r\n\x1a\n" + part(b"IHDR", struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 3, 0, 0, 0))
            + part(b"PLTE", b"".join(map(bytes, colours))) + part(b"IDAT", zlib.compress(body, 9)) + part(b"IEND", b""))


def main():
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    pdf, out, pages = sys.argv[1], sys.argv[2], sys.argv[3:]
    numbers = [page_of(pdf, p) for p in pages]
    image = png([picture(pdf, n) for n in numbers])
    if len(image) > MOST:
        sys.exit(f"page.py: {len(image)} bytes, at most {MOST}")
    with open(out, "wb") as f:
        f.write(image)
    print(f"page.py: {out}, pages {' '.join(map(str, numbers))} of {pdf}, {len(image)} bytes")


main()
