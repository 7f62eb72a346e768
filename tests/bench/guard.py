#!/usr/bin/env python3
"""guard.py -- what hardening costs: figures/data/guard-cost.csv and guard-bench.csv.

    guard.py --library build/liblitmalloc.so [--data figures/data] [--rounds 5]
    guard.py --library build/liblitmalloc.so --counts guard-count.csv [--data figures/data]

Processor time and peak resident of some workloads and programs with each part on, relative to
none, interleaved; medians; their geometric mean in the last row.  Then all rows of the benchmark
(table.py) with all parts on, and the means of its halves and of all.  With --counts, instructions
instead: of a malloc and its free, of a realloc in place, and of a replacement in a table of
20 000 blocks, as delivered and with harden (build/bench/count under callgrind; exact).
"""

import argparse
import statistics
import tempfile

import peers
import programs
import table

PARTS = [("none", ""), ("uncached", "tcache:false"), ("random_place", "random_place:true"), ("canary", "canary:true"),
         ("junk", "junk:true"), ("quarantine", "quarantine_bytes:256k"), ("guard_pages", "guard_pages:true"),
         ("harden", "harden:true")]
WORKLOADS = [("churn", ["churn", "1"]), ("larson x2", ["larson", "2"]), ("trees", ["trees", "1"])]
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


def measure(name, command, more, library, settings, rounds):
    """Each setting's costs, turn by turn."""
    costs = {conf: [] for conf in settings}
    for turn in range(rounds):
        for conf in settings:
            peers.progress(f"{name}, round {turn + 1}, {conf or 'as delivered'}")
            costs[conf].append(peers.run(command, library, {**more, "LITMALLOC_CONF": conf}))
    return costs


def ratio(costs, conf, what):
    """The median with a setting over that with none."""
    return statistics.median(getattr(c, what) for c in costs[conf]) / statistics.median(getattr(c, what) for c in costs[""])


def whole_bench(library, folder, rounds, data):
    """All rows of the benchmark with all parts on."""
    work = [table.workload_row(n, t) for n, t in table.WORKLOADS]
    rest = [table.Row(n, c, e, True) for n, c, e in programs.programs(folder)[0]]
    rows = []
    for r in work + rest:
        costs = measure(r.name, r.command, r.more, library, ["", "harden:true"], rounds)
        rows.append([r.name, *(ratio(costs, "harden:true", what) for what in ("cpu", "wall", "peak"))])
    for name, group in (("workloads", rows[:len(work)]), ("programs", rows[len(work):]), ("all", rows[:])):
        rows.append([name, *(peers.mean(row[i] for row in group) for i in (1, 2, 3))])
    peers.write_csv(f"{data}/guard-bench.csv", ["row", "cpu", "wall", "memory"],
                    [[row[0], *(f"{v:.2f}" for v in row[1:])] for row in rows],
                    f"make bench-guard: {rounds} interleaved rounds, medians with harden relative to none on; "
                    "the last three rows are geometric means", {})
    print("\nguard: over the benchmark all parts together take {:.2f} times the time: workloads {:.2f}, programs {:.2f}"
          .format(rows[-1][1], rows[-3][1], rows[-2][1]))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--library", required=True)
    p.add_argument("--data", default="figures/data")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--counts", metavar="FILE.csv")
    a = p.parse_args()
    if a.counts:
        counts(a.library, f"{a.data}/{a.counts}")
        return
    with tempfile.TemporaryDirectory() as folder:
        jobs = [(n, ["build/bench/workloads", *c], {}) for n, c in WORKLOADS]
        jobs += [(n, c, e) for n, c, e in programs.programs(folder)[0] if n in PROGRAMS]
        rows = []
        for name, command, more in jobs:
            costs = measure(name, command, more, a.library, [conf for _, conf in PARTS], a.rounds)
            rows.append([name, statistics.median(c.cpu for c in costs[""]),
                         *(ratio(costs, conf, "cpu") for _, conf in PARTS[1:]), ratio(costs, "harden:true", "peak")])
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
