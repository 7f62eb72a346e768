#!/usr/bin/env python3
"""sample.py -- what sampling costs, in instructions: figures/data/sample-count.csv, and how
likely it is to catch a bug: figures/data/sample-odds.csv (computed).

    sample.py --library build/liblitmalloc.so [--data figures/data]

Instructions of a malloc and its free, and of a replacement in a table of 20 000 blocks, with
sampling off and at several rates (build/bench/count under callgrind; exact but for the dice,
which fall differently in each process: at each rate the median of three).  `rationed` is a
rate at which nothing is sampled in so short a run: what remains is the way to the dice.
"""

import argparse
import statistics

import peers

RATES = [("off", ""), ("rationed", "sample:1000000000"), ("r5000", "sample:5000"), ("r1000", "sample:1000"),
         ("r100", "sample:100")]
COUNTED = [("pair 16", ["pair", "16", "1", "200000"]), ("pair 64", ["pair", "64", "1", "200000"]),
           ("pair 1024", ["pair", "1024", "1", "200000"]), ("pair 2048", ["pair", "2048", "1", "200000"]),
           ("churn", ["churn", "64", "20000", "10"])]
BUGS = [1, 10, 100, 1000, 10000, 100000, 1000000]


def count(library, conf, what):
    """Instructions of one round, without the loop's own."""
    runs = 3 if conf.startswith("sample") else 1
    mine = statistics.median(peers.instructions(library, what, {"LITMALLOC_CONF": conf}) for _ in range(runs))
    null = peers.instructions(library, [*what, "null"], {"LITMALLOC_CONF": conf})
    return round((mine - null) / (int(what[2]) * int(what[3])), 1)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--library", required=True)
    p.add_argument("--data", default="figures/data")
    a = p.parse_args()
    rows = [[name, *(count(a.library, conf, what) for _, conf in RATES)] for name, what in COUNTED]
    peers.write_csv(f"{a.data}/sample-count.csv", ["what", *(name for name, _ in RATES)], rows,
                    "make bench-sample: instructions of one round without its loop, under callgrind", {})
    for row in rows:
        print("sample:", *row)
    odds = [[k, *(f"{100 * (1 - (1 - 1 / n) ** k):.4g}" for n in (100, 1000, 5000, 50000))] for k in BUGS]
    peers.write_csv(f"{a.data}/sample-odds.csv", ["times", "n100", "n1000", "n5000", "n50000"], odds,
                    "make bench-sample: per cent, 1 - (1 - 1/n)^k", {})


if __name__ == "__main__":
    main()
