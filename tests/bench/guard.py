#!/usr/bin/env python3
"""guard.py -- what each part of hardening costs: figures/data/guard-cost.csv.

    guard.py --library build/liblitmalloc.so [--data figures/data] [--rounds 5]

Processor time and peak resident of some workloads and programs with each part on, relative to
none, interleaved; medians; their geometric mean in the last row.
"""

import argparse
import statistics
import tempfile

import peers
import programs

PARTS = [("none", ""), ("uncached", "tcache:false"), ("random_place", "random_place:true"), ("canary", "canary:true"),
         ("junk", "junk:true"), ("quarantine", "quarantine_bytes:1m"), ("guard_pages", "guard_pages:true"),
         ("harden", "harden:true")]
WORKLOADS = [("churn", ["churn", "1"]), ("larson x2", ["larson", "2"]), ("trees", ["trees", "1"])]
PROGRAMS = ["perl", "sqlite3", "lua", "gcc"]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--library", required=True)
    p.add_argument("--data", default="figures/data")
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(n, ["build/bench/workloads", *c], {}) for n, c in WORKLOADS]
        jobs += [(n, c, e) for n, c, e in programs.programs(folder)[0] if n in PROGRAMS]
        table = []
        for name, command, more in jobs:
            costs = {part: [] for part, _ in PARTS}
            for turn in range(a.rounds):
                for part, conf in PARTS:
                    peers.progress(f"{name}, round {turn + 1}, {part}")
                    costs[part].append(peers.run(command, a.library, {**more, "LITMALLOC_CONF": conf}))
            cpu = {part: statistics.median(c.cpu for c in costs[part]) for part, _ in PARTS}
            peak = {part: statistics.median(c.peak for c in costs[part]) for part, _ in PARTS}
            table.append([name, cpu["none"], *(cpu[part] / cpu["none"] for part, _ in PARTS[1:]),
                          peak["harden"] / peak["none"]])
    table.append(["mean", *(peers.mean(row[i] for row in table) for i in range(1, len(table[0])))])
    peers.write_csv(f"{a.data}/guard-cost.csv",
                    ["program", "cpu_s", *(part for part, _ in PARTS[1:]), "memory"],
                    [[row[0], *(f"{v:.2f}" for v in row[1:])] for row in table],
                    f"make bench-guard: {a.rounds} interleaved rounds, medians of processor time relative to none on; "
                    "memory: peak resident with harden, relative", {})
    print(f"\nguard: all parts together take {table[-1][-2]:.2f} times the time (geometric mean)")


if __name__ == "__main__":
    main()
