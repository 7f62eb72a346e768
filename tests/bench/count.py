#!/usr/bin/env python3
"""count.py -- what one operation costs in instructions, for us and each peer; and what a
process costs that does nothing else.

    count.py [--library build/liblitmalloc.so] [--data figures/data] [--rows "pair churn"] [name=/path/lib.so ...]

Instructions in user space, counted by valgrind's callgrind: exact, the same in every run on
any machine that picks the same code (valgrind offers no AVX-512, so memset may be another).
`loop` is the same loop around functions of one instruction.  `make bench-count` calls it."""

import argparse
import concurrent.futures
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile

import peers

# name, loop of count.c, size, blocks, rounds, calls of each kind in a round and block, bar, counted with its loop
SIZES = [16, 32, 64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384]
ROWS = [(f"pair {s}", "pair", s, 1, 20000, 2, 30 if s <= 1024 else 70 if s == 16384 else None, False) for s in SIZES] + [
    ("batch 100", "fifo", 64, 100, 300, 2, 30, False),
    ("batch 1000", "fifo", 64, 1000, 30, 2, 30, False),
    ("lifo 5000", "lifo", 64, 5000, 8, 2, 45, False),
    ("fifo 5000", "fifo", 64, 5000, 8, 2, 45, False),
    ("shuffled 5000", "shuffled", 64, 5000, 8, 2, 45, False),
    ("lifo 100000", "lifo", 64, 100000, 3, 2, 45, False),
    ("fifo 100000", "fifo", 64, 100000, 3, 2, 45, False),
    ("shuffled 100000", "shuffled", 64, 100000, 3, 2, 45, False),
    ("churn 16-512", "churn", 0, 2000, 100, 2, 50, True),
    ("calloc 64", "calloc", 64, 1, 20000, 2, 55, False),
    ("aligned_alloc 128", "aligned", 128, 1, 20000, 2, 60, False),
    ("realloc in place", "realloc", 512, 1, 20000, 1, 60, False),
    ("remote free", "remote", 64, 1000, 40, 1, 25, False),
]
# Which of them are also run beside a sleeping thread, to count what locks cost; calls a pair or round.
ATOMIC_ROWS = ["pair 64", "batch 1000", "shuffled 5000", "shuffled 100000", "churn 16-512", "remote free"]
HELLO = "hello, world"
HELLO_RUNS = 101


def count(library, loop, size, blocks, rounds, null=False):
    """Instructions an operation (a pair, or one call), loop included."""
    words = [loop, str(size), str(blocks), str(rounds)] + (["null"] if null else [])
    return peers.instructions(library, words) / (blocks * rounds)


def atomic_addresses(path, known={}):
    """Where the object file has an instruction that reads and writes memory in one step (x86-64)."""
    if path not in known:
        text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", path], capture_output=True, text=True).stdout
        known[path] = {int(m.group(1), 16) for m in re.finditer(
            r"^ *([0-9a-f]+):\t(?:lock |xchg +(?:%\w+,[^%\n]*\(|[^%\n]*\())", text, re.M)}
    return known[path]


def atomics(library, loop, size, blocks, rounds, calls):
    """Atomic read-modify-write instructions in 1000 calls of malloc or free."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", "--collect-atstart=no", "--dump-instr=yes",
                   "--compress-pos=no", "--compress-strings=no", "build/bench/count", loop, str(size), str(blocks), str(rounds)]
        env = peers.environment({"IDLE": "1", **({"LD_PRELOAD": library} if library else {})})
        subprocess.run(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True, timeout=300)
        total, where, inclusive = 0, None, False
        for line in open(out):
            if line.startswith("ob="):
                path = line[3:].strip()
                # The loop's own are not meant; nor is what has no file.
                where = set() if path.endswith("/count") or not os.path.exists(path) else atomic_addresses(path)
            elif line.startswith("calls="):
                inclusive = True                # the next line is the callee's cost
            elif line.startswith("0x"):
                address, _, cost = line.split()
                if not inclusive and where and int(address, 16) in where:
                    total += int(cost)
                inclusive = False
    return 1000 * total / (blocks * rounds * calls)


def hello(library, empty):
    """Of the smallest program: resident KiB, page faults, the resident KiB that wait4 reports, system calls.  Means, for
    where the libraries lie decides which of their pages are mapped along with one that is used."""
    library = library or empty              # glibc, too, with a library to load
    runs = [peers.run(["build/bench/hello"], library) for _ in range(HELLO_RUNS)]
    calls = None
    if shutil.which("strace"):
        with tempfile.NamedTemporaryFile("r") as out:
            subprocess.run(["strace", "-f", "-qq", "-o", out.name, "-E", f"LD_PRELOAD={library}", "build/bench/hello"],
                           env=peers.environment(), stdout=subprocess.DEVNULL, check=True)
            calls = sum(1 for line in out if re.match(r"\d+ +\w+\(", line))
    return *(statistics.fmean(getattr(r, what) for r in runs) for what in ("peak", "faults", "reported")), calls


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--library", default="build/liblitmalloc.so")
    p.add_argument("--rows", default="")
    p.add_argument("--data")
    p.add_argument("peers", nargs="*")
    a = p.parse_args()
    libraries = peers.find(a.library, a.peers)
    wanted = a.rows.split()
    rows = [r for r in ROWS if not wanted or r[0].split()[0] in wanted]
    if wanted and not rows and "hello" not in wanted:
        sys.exit("bench-count: no such row; there are: hello " + " ".join(dict.fromkeys(r[0].split()[0] for r in ROWS)))
    jobs = [(r, n) for r in rows for n in ["loop", *libraries]]

    def one(job):
        (_, loop, size, blocks, rounds, calls, _, _), name = job
        if name == "loop":
            return count(None, loop, size, blocks, rounds, null=True) - calls       # less the two rets
        return count(libraries[name], loop, size, blocks, rounds)
    counted = {}
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for number, (job, value) in enumerate(zip(jobs, pool.map(one, jobs))):
            peers.progress(f"counting {job[0][0]}, {number + 1} of {len(jobs)}")
            counted[job[0][0], job[1]] = value
    print(f"\r{'':78}", file=sys.stderr)

    print(peers.machine() + "\n" + peers.versions(libraries))
    print("\ninstructions for a pair of calls (realloc, remote free: for one call); without the loop")
    width = max(9, *(len(n) for n in libraries)) + 2
    print(f"{'':18}" + "".join(f"{n:>{width}}" for n in libraries) + f"{'(loop)':>{width}}")
    table, bars = [], []
    for name, _, _, _, _, _, bar, with_loop in rows:
        loop = counted[name, "loop"]
        net = [counted[name, n] - loop for n in libraries]
        print(f"{name:18}" + "".join(f"{v:>{width}.1f}" for v in net) + f"{loop:>{width}.1f}")
        table.append([name, *(f"{v:.1f}" for v in net), f"{loop:.1f}"])
        if bar:
            value = counted[name, "litmalloc"] - (0 if with_loop else loop)
            bars.append([name + (", with its loop" if with_loop else ""), f"{value:.1f}", f"<= {bar}",
                         "met" if value <= bar + 0.05 else "missed"])

    held = []
    if not wanted and os.uname().machine == "x86_64" and shutil.which("objdump"):
        print("\natomic instructions in 1000 calls, a second thread asleep (a lock taken and released: two, or one and a store)")
        print(f"{'':18}" + "".join(f"{n:>{width}}" for n in libraries))
        named = [r for r in rows if r[0] in ATOMIC_ROWS]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            values = list(pool.map(lambda job: atomics(libraries[job[1]], *job[0][1:6]), [(r, n) for r in named for n in libraries]))
        for k, row in enumerate(named):
            cells = values[k * len(libraries):(k + 1) * len(libraries)]
            print(f"{row[0]:18}" + "".join(f"{v:>{width}.1f}" for v in cells))
            held.append([row[0], *(f"{v:.1f}" for v in cells)])

    smallest = []
    if not wanted or "hello" in wanted:
        empty = os.path.abspath("build/bench/empty.so")
        print(f"\n{HELLO}: resident KiB, page faults, system calls (glibc: with an empty library preloaded)")
        cost = {n: hello(path, empty) for n, path in libraries.items()}
        for n, (kib, faults, reported, calls) in cost.items():
            print(f"{n:18}{kib:>9.0f}{faults:>9.0f}{'-' if calls is None else calls:>9}")
            smallest.append([n, f"{kib:.0f}", f"{reported:.0f}", f"{faults:.0f}", "" if calls is None else calls])
        ours, theirs = cost["litmalloc"], cost["glibc"]
        for k, what in enumerate(("resident", "page faults")):
            ratio = ours[k] / theirs[k]
            bars.append([f"hello: {what} against glibc", f"{ratio:.3f}", "<= 1.15", "met" if ratio <= 1.15 else "missed"])
        if ours[3] is not None:
            more = ours[3] - theirs[3]
            bars.append(["hello: system calls more than glibc", str(more), "<= 6", "met" if more <= 6 else "missed"])

    print(f"\n{'bar':44}{'counted':>9}{'limit':>9}")
    for bar in bars:
        print(f"{bar[0]:44}{bar[1]:>9}{bar[2]:>9}  {bar[3]}")
    print(f"{sum(b[3] == 'met' for b in bars)} of {len(bars)} bars met")
    if a.data and not wanted:
        remark = "make bench-count; user-space instructions by callgrind, without the loop"
        peers.write_csv(os.path.join(a.data, "counts.csv"), ["operation", *libraries, "loop"], table, remark, libraries)
        sizes = [[r[0].split()[1], *r[1:]] for r in table if r[0].startswith("pair ")]
        peers.write_csv(os.path.join(a.data, "counts-size.csv"), ["size", *libraries, "loop"], sizes, remark, libraries)
        peers.write_csv(os.path.join(a.data, "counts-hello.csv"), ["allocator", "resident_kib", "reported_kib", "faults", "calls"], smallest,
                        f"make bench-count; means of {HELLO_RUNS} runs; glibc with an empty library preloaded", libraries)
        if held:
            peers.write_csv(os.path.join(a.data, "counts-atomics.csv"), ["operation", *libraries], held,
                            "make bench-count; atomic instructions in 1000 calls, a second thread asleep", libraries)
        peers.write_csv(os.path.join(a.data, "counts-bars.csv"), ["bar", "counted", "limit", "met"], bars, remark, libraries)


if __name__ == "__main__":
    main()
