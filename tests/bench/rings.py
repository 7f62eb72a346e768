#!/usr/bin/env python3
"""rings.py -- the geometry of 2006 against its own published statistics, and beside ours.

    python3 tests/bench/rings.py figures/data        (part of make bench-rings)

Checks that regions = floor((run - header) / size) gives all 37 rows of the statistics that
Evans printed of cca, with one header; writes lineage-geometry.csv (some rows, ours beside
them), lineage-waste.csv (what a request loses, over sizes) and lineage-facts.csv.
"""
import csv
import math
import sys

OUT = sys.argv[1]
# The statistics of cca, Evans 2006: size of a region, regions of a run, bytes of a run.
PUBLISHED = [(2, 1892, 4096), (4, 946, 4096), (8, 985, 8192), (16, 1004, 16384),
             (32, 1014, 32768)] + [(s, n, 65536) for s, n in [
    (48, 1358), (64, 1019), (80, 815), (96, 679), (112, 582), (128, 509), (144, 452),
    (160, 407), (176, 370), (192, 339), (208, 313), (224, 291), (240, 271), (256, 254),
    (272, 239), (288, 226), (304, 214), (320, 203), (336, 194), (352, 185), (368, 177),
    (384, 169), (400, 163), (416, 156), (432, 150), (448, 145), (464, 140), (480, 135),
    (496, 131), (512, 127), (1024, 63), (2048, 31)]]
REQUESTS = [184, 2824, 64656199, 5431302, 2058948, 4518045, 101063, 53401, 55408, 609, 5261,
            3564, 1206, 326, 549, 100, 53, 90, 58, 7550, 44, 52, 36, 38, 26, 49, 16, 36, 13,
            19, 19, 12, 29, 45, 14, 230, 120]
PAGE = 16384

assert len(PUBLISHED) == len(REQUESTS) == 37
headers = [h for h in range(4097)
           if all((run - h) // size == n for size, n, run in PUBLISHED)]
if not headers:
    sys.exit("rings.py: no header explains the published rows")

with open("figures/data/classes.csv") as f:
    ours = [{k: int(v) for k, v in row.items()}
            for row in csv.DictReader(line for line in f if line[0] != "#")]


def our_class(n):
    return next((c for c in ours if c["size"] >= n), None)


def class_2006(n):
    if n <= 8:
        return max(2, 1 << (n - 1).bit_length())
    if n <= 512:
        return (n + 15) // 16 * 16
    return 1 << (n - 1).bit_length()


def table(name, head, rows):
    with open(f"{OUT}/{name}", "w") as f:
        f.write("# tests/bench/rings.py; 2006: as published (Evans 2006); ours: classes.csv\n")
        f.write(",".join(head) + "\n")
        for row in rows:
            f.write(",".join(str(x) for x in row) + "\n")


rows = []
for size, n, run in PUBLISHED:
    if size not in (2, 8, 16, 32, 48, 64, 96, 128, 256, 512, 1024, 2048):
        continue
    c = our_class(size)
    theirs = 100 * (run - n * size) / run
    mine = 100 * c["left"] / (c["pages"] * PAGE)
    rows.append((size, n, run // 1024, f"{theirs:.1f}", c["size"], c["regions"],
                 c["pages"] * PAGE // 1024, f"{mine:.1f}"))
table("lineage-geometry.csv",
      "request,regions2006,run2006,lost2006,size,regions,run,lost".split(","), rows)

points, n = [], 1
while n <= 16384:
    a, b = class_2006(n), our_class(n)["size"]
    points.append((n, f"{100 * (a - n) / a:.2f}", f"{100 * (b - n) / b:.2f}"))
    n += max(1, n // 96)
table("lineage-waste.csv", ["request", "classes2006", "ours"], points)


def mean_loss(f, low, high):
    """Of the bytes handed out, the part not asked for; sizes even on a log scale."""
    sizes = [low * (high / low) ** (i / 20000) for i in range(1, 20001)]
    asked = [math.ceil(s) for s in sizes]
    given = [f(n) for n in asked]
    return 100 * (1 - sum(a / g for a, g in zip(asked, given)) / len(asked))


table("lineage-facts.csv", ["fact", "value"], [
    ("rows", len(PUBLISHED)), ("headerleast", headers[0]), ("headermost", headers[-1]),
    ("requests", sum(REQUESTS)), ("eightshare", round(100 * REQUESTS[2] / sum(REQUESTS), 1)),
    ("small2006", round(mean_loss(class_2006, 16, 512), 1)),
    ("smallours", round(mean_loss(lambda n: our_class(n)["size"], 16, 512), 1)),
    ("middle2006", round(mean_loss(class_2006, 512, 16384), 1)),
    ("middleours", round(mean_loss(lambda n: our_class(n)["size"], 512, 16384), 1))])
print(f"rings.py: {len(PUBLISHED)} rows explained by a header of {headers[0]} to "
      f"{headers[-1]} bytes")
