#!/usr/bin/env python3
"""guard.py -- what hardening costs: figures/data/guard-cost.csv and guard-bench.csv.

    guard.py --library build/liblitmalloc.so [--data figures/data] [--rounds 5]
    guard.py --library build/liblitmalloc.so --counts guard-count.csv [--data figures/data]
    guard.py --library build/liblitmalloc.so --against OTHER.so [--data figures/data] [--rounds 5]

Processor time and peak resident of some workloads and programs with each part on, relative to
none, interleaved; medians; their geometric mean in the last row.  Then all rows of the benchmark
(table.py) with all parts on, and the means of its halves and of all.  With --counts, instructions
instead: of a malloc and its free, of a realloc in place, and of a replacement in a table of
20 000 blocks, as delivered and with harden (build/bench/count under callgrind; exact).
With --against, the workloads with all parts on, relative to another build of the library with the
same: figures/data/guard-against.csv.
"""

import argparse
import os
import statistics
import tempfile

import peers
import programs
import results
import table

PARTS = [("none", ""), ("uncached", "tcache:false"), ("random_place", "random_place:true"), ("canary", "canary:true"),
         ("junk", "junk:true"), ("quarantine", "quarantine_bytes:256k"), ("guard_pages", "guard_pages:true"),
         ("harden", "harden:true")]
WORKLOADS = ["churn", "larson x2", "trees"]
PROGRAMS = ["perl", "sqlite3", "lua", "gcc"]

# name, what build/bench/count is asked for: WHAT SIZE N ROUNDS
COUNTED = [("pair 16", ["pair", "16", "1", "20000"]), ("pair 64", ["pair", "64", "1", "20000"]),
           ("pair 512", ["pair", "512", "1", "20000"]), ("realloc 64", ["realloc", "64", "1", "20000"]),
           ("churn", ["churn", "64", "20000", "1"])]


def count(library, conf, what):
    """Instructions of one round, without the loop's own."""
    both = [peers.instructions(library, [*what, *more], {"LITMALLOC_CONF": conf}) for more in ([], ["null"])]
    return round((both[0] - both[1]) / (int(what[2]) * int(what[3])))


def counts(library, path):
    rows = [[name, count(library, "", what), count(library, "harden:true", what)] for name, what in COUNTED]
    peers.write_csv(path, ["what", "delivered", "harden"], rows,
                    "make bench-guard-count: instructions of one round without its loop, under callgrind", {})
    for row in rows:
        print("guard: {}: {} instructions, hardened {}".format(*row))


def measure(row, ways, rounds):
    """Each way's costs, interleaved; ways: {key: (library, settings)}."""
    return results.interleaved({k: lambda lib=lib, conf=conf: peers.run(row.command, lib, {**row.more, "LITMALLOC_CONF": conf},
                                                                        row.cpu)
                                for k, (lib, conf) in ways.items()}, rounds, row.name)


def ratio(costs, key, what, base="none"):
    """The median of one way over that of another."""
    return statistics.median(getattr(c, what) for c in costs[key]) / statistics.median(getattr(c, what) for c in costs[base])


def workloads():
    return [table.workload_row(n, t) for n, t in table.WORKLOADS]


def whole_bench(library, folder, rounds, data):
    """All rows of the benchmark with all parts on."""
    work, rest = workloads(), table.program_rows(programs.programs(folder)[0])
    rows = []
    for r in work + rest:
        costs = measure(r, {"none": (library, ""), "harden": (library, "harden:true")}, rounds)
        rows.append([r.name, *(ratio(costs, "harden", what) for what in ("cpu", "wall", "peak"))])
    for name, group in (("workloads", rows[:len(work)]), ("programs", rows[len(work):]), ("all", rows[:])):
        rows.append([name, *(peers.mean(row[i] for row in group) for i in (1, 2, 3))])
    peers.write_csv(f"{data}/guard-bench.csv", ["row", "cpu", "wall", "memory"],
                    [[row[0], *(f"{v:.2f}" for v in row[1:])] for row in rows],
                    f"make bench-guard: {rounds} interleaved rounds, medians with harden relative to none on; "
                    "the last three rows are geometric means", {})
    print("\nguard: over the benchmark all parts together take {:.2f} times the time: workloads {:.2f}, programs {:.2f}"
          .format(rows[-1][1], rows[-3][1], rows[-2][1]))


def against(library, other, rounds, data):
    """The workloads with all parts on, relative to another library."""
    rows = []
    for r in workloads():
        costs = measure(r, {"ours": (library, "harden:true"), "other": (other, "harden:true")}, rounds)
        rows.append([r.name, ratio(costs, "ours", "cpu", "other")])
    rows.append(["mean", peers.mean(row[1] for row in rows)])
    peers.write_csv(f"{data}/guard-against.csv", ["row", "cpu"], [[n, f"{v:.3f}"] for n, v in rows],
                    f"make bench-guard AGAINST=...: {rounds} interleaved rounds, medians of processor time with harden, "
                    f"relative to {os.path.basename(other)} with harden; the last row is the geometric mean", {})
    print(f"\nguard: {rows[-1][1]:.2f} times the time of {other}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--library", required=True)
    p.add_argument("--data", default="figures/data")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--counts", metavar="FILE.csv")
    p.add_argument("--against", metavar="OTHER.so")
    a = p.parse_args()
    if a.against:
        against(a.library, a.against, a.rounds, a.data)
        return
    if a.counts:
        counts(a.library, f"{a.data}/{a.counts}")
        return
    with tempfile.TemporaryDirectory() as folder:
        jobs = [r for r in workloads() if r.name in WORKLOADS]
        jobs += [r for r in table.program_rows(programs.programs(folder)[0]) if r.name in PROGRAMS]
        rows = []
        for r in jobs:
            costs = measure(r, {part: (a.library, conf) for part, conf in PARTS}, a.rounds)
            rows.append([r.name, statistics.median(c.cpu for c in costs["none"]),
                         *(ratio(costs, part, "cpu") for part, _ in PARTS[1:]), ratio(costs, "harden", "peak")])
        whole_bench(a.library, folder, a.rounds, a.data)
    rows.append(["mean", *(peers.mean(row[i] for row in rows) for i in range(1, len(rows[0])))])
    peers.write_csv(f"{a.data}/guard-cost.csv",
                    ["program", "cpu_s", *(part for part, _ in PARTS[1:]), "memory"],
                    [[row[0], *(f"{v:.2f}" for v in row[1:])] for row in rows],
                    f"make bench-guard: {a.rounds} interleaved rounds, medians of processor time relative to none on; "
                    "memory: peak resident with harden, relative", {})
    print(f"\nguard: all parts together take {rows[-1][-2]:.2f} times the time (geometric mean)")


if __name__ == "__main__":
    main()
