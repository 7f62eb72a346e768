#!/usr/bin/env python3
"""fresh.py -- the two tables of the chapter on fresh pages.

    fresh.py --library build/liblitmalloc.so [--data figures/data] [--rounds 5]

fresh-cost.csv: what a page costs by the way it gets its memory (tests/bench/fresh.c).
fresh-policy.csv: programs with huge pages from the start, from some size of the heap
on, and never; time as a ratio to never, interleaved; peak resident; page faults, and
those that stopped the program.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile

import peers
import programs

POLICIES = [("never", "-1"), ("16m", "16m"), ("8m", "8m"), ("4m", "4m"), ("2m", "2m"), ("0", "0")]
WORKLOADS = [("churn", ["churn", "1"]), ("churn x4", ["churn", "4"]), ("large", ["large", "1"])]
PROGRAMS = ["sqlite3", "perl", "lua", "gs", "gcc"]
NOTHING = ("gcc of nothing", ["gcc", "-O2", "-c", "-x", "c", "/dev/null", "-o", "/dev/null"], {})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--library", required=True)
    p.add_argument("--data", default="figures/data")
    p.add_argument("--rounds", type=int, default=5)
    a = p.parse_args()
    out = subprocess.run(["build/bench/fresh"], capture_output=True, text=True)
    if out.returncode != 0:
        sys.exit(f"fresh: {out.stderr.strip()}: this kernel cannot do it")
    rows = [line.split(",") for line in out.stdout.splitlines()]
    touched, huge = float(rows[0][2]), float(rows[-1][2])
    rows = [r + [f"{touched / float(r[2]):.1f}"] for r in rows]
    peers.write_csv(f"{a.data}/fresh-cost.csv", ["way", "KiB", "us/page", "us/unmap", "huge_KiB", "times"],
                    rows, "make bench-fresh: 64 MiB, a byte written in each page, medians of nine rounds", {})
    print(f"fresh: a page touched {touched} us, in a huge page {huge} us")

    with tempfile.TemporaryDirectory() as folder:
        jobs = [(n, ["build/bench/workloads", *c], {}) for n, c in WORKLOADS]
        jobs += [(n, c, e) for n, c, e in programs.programs(folder)[0] if n in PROGRAMS] + [NOTHING]
        table = []
        for name, command, more in jobs:
            costs = {policy: [] for policy, _ in POLICIES}
            for turn in range(a.rounds):
                for policy, value in POLICIES:
                    peers.progress(f"{name}, round {turn + 1}, {policy}")
                    costs[policy].append(peers.run(command, a.library, {**more, "LITMALLOC_CONF": f"thp_from:{value}"}))
            never = statistics.median(c.cpu for c in costs["never"])
            line = [name, f"{never:.3f}"]
            for policy, _ in POLICIES:
                c = costs[policy]
                line += [f"{statistics.median(x.cpu for x in c) / never:.2f}",
                         f"{statistics.median(x.peak for x in c) / 1024:.1f}",
                         f"{statistics.median(x.faults for x in c):.0f}",
                         f"{statistics.median(x.exceptions for x in c):.0f}"]
            table.append(line)
    head = ["program", "cpu_s"] + [f"{what}@{policy}" for policy, _ in POLICIES for what in ("time", "MiB", "faults", "stops")]
    peers.write_csv(f"{a.data}/fresh-policy.csv", head, table,
                    f"make bench-fresh: thp_from, {a.rounds} interleaved rounds, medians; time relative to never", {})
    print("\nfresh: figures/data/fresh-cost.csv, fresh-policy.csv")


if __name__ == "__main__":
    main()
