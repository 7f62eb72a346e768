#!/usr/bin/env python3
"""table.py -- the side-by-side table: small workloads and whole programs, one
allocator beside the other, interleaved, medians.

    table.py --library build/liblitmalloc.so --workloads build/bench/workloads
             [--rounds 5] [--csv FILE] [--quick] [name=/path/lib.so ...]

Every run is a process of its own.  In each round every allocator runs every
row once, in turn, so that a slow minute of the machine hits all of them.
"""

import argparse
import csv
import datetime
import math
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

PEERS = {
    "jemalloc": "libjemalloc.so.2",
    "mimalloc": "libmimalloc.so.2.0",
    "tcmalloc": "libtcmalloc_minimal.so.4",
    "tbb": "libtbbmalloc_proxy.so.2",
}
FOLDERS = ["/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib"]

SMALL = [
    ("malloc-test", "pairs 1"), ("malloc-test x4", "pairs 4"),
    ("churn", "churn 1"), ("churn x4", "churn 4"), ("batches", "batches 1"),
    ("larson x2", "larson 2"), ("xmalloc x2", "xmalloc 2"), ("xmalloc x4", "xmalloc 4"),
    ("large", "large 1"), ("vector", "vector 1"), ("trees", "trees 1"),
]

PYTHON = """
import json
rows = [{"id": i, "name": "row %d" % i, "tags": [str(j) for j in range(i % 7)]} for i in range(40000)]
text = json.dumps(rows)
assert json.loads(text) == rows
"""

PERL = r"""
my %h; for my $i (1 .. 200000) { push @{ $h{ $i % 5000 } }, "x" x ($i % 97); }
my $n = 0; for my $k (sort keys %h) { $n += length join ",", @{ $h{$k} }; } print "$n\n";
"""

SQL = """
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 200000)
  insert into t select i, 'row ' || i || hex(i * 7919), i * 1.5 from n;
create index tb on t(b);
select count(*), sum(length(b)) from t where b > 'row 5';
select count(*) from t x join t y on x.a = y.a + 1;
"""


def programs(folder):
    """Whole programs: name, command, or nothing where it is not installed."""
    source = os.path.join(folder, "big.c")
    with open(source, "w") as f:
        for i in range(200):
            f.write(f"static __attribute__((noinline)) int f{i}(int a, int b) {{ int s = {i}; for (int i = 0; i < a; i++) "
                    f"s += (i ^ b) * {i + 3}; return s; }}\n")
        f.write("int main(int c, char **v) { int s = 0; (void)v;\n")
        f.writelines(f"s += f{i}(c, s);\n" for i in range(200))
        f.write("return s; }\n")
    script = {n: os.path.join(folder, n) for n in ("p.py", "p.pl", "p.sql")}
    for name, text in (("p.py", PYTHON), ("p.pl", PERL), ("p.sql", SQL)):
        with open(script[name], "w") as f:
            f.write(text)
    rows = [
        ("python3", ["/usr/bin/python3", script["p.py"]], {"PYTHONMALLOC": "malloc"}),
        ("perl", ["perl", script["p.pl"]], {}),
        ("sqlite3", ["sqlite3", ":memory:", f".read {script['p.sql']}"], {}),
        ("gcc -O2", ["gcc", "-O2", "-c", source, "-o", os.path.join(folder, "big.o")], {}),
        ("hello", ["/bin/true"], {}),
    ]
    return [r for r in rows if shutil.which(r[1][0])]


def find_peers(extra):
    libraries = {}
    for name, file in PEERS.items():
        path = next((os.path.join(d, file) for d in FOLDERS if os.path.exists(os.path.join(d, file))), None)
        if path:
            libraries[name] = path
        else:
            print(f"table: {name} is not installed ({file}); left out", file=sys.stderr)
    for pair in extra:
        name, _, path = pair.partition("=")
        if not os.path.exists(path):
            sys.exit(f"table: no such library: {pair}")
        libraries[name] = path
    return libraries


def run(command, library, more):
    """One run: wall seconds, processor seconds, peak resident KiB, faults."""
    env = dict(os.environ, **more)
    env.pop("LD_PRELOAD", None)
    if library:
        env["LD_PRELOAD"] = library
    begin = time.monotonic()
    p = subprocess.Popen(command, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    error = p.stderr.read()
    _, status, usage = os.wait4(p.pid, 0)
    wall = time.monotonic() - begin
    p.returncode = 0
    if status != 0:
        sys.exit(f"table: {' '.join(command)} failed under {library}: {error.decode()[-300:]}")
    return wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss, usage.ru_minflt


def measure(rows, libraries, rounds):
    """All runs, interleaved: {(row, library): medians of wall, cpu, peak, faults}.

    Stopped by a signal it makes do with the rounds that are complete."""
    complete, current = [], {}
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for r in range(rounds + 1):             # the first round warms up
            current = {}
            for number, (row, command, more) in enumerate(rows):
                print(f"\rround {r}/{rounds}, {number + 1}/{len(rows)} {row:20}", end="", file=sys.stderr)
                for name, path in libraries.items():
                    current[row, name] = run(command, path, more)
            complete.append(current)
    except KeyboardInterrupt:
        print("\ntable: stopped early", file=sys.stderr)
    if len(complete) < 2:
        sys.exit("table: not one round is complete")
    print(f"\r{len(complete) - 1} rounds after one to warm up{'':30}", file=sys.stderr)
    return {k: [statistics.median(x) for x in zip(*(c[k] for c in complete[1:]))] for k in complete[0]}


def print_table(title, rows, libraries, median, column, unit):
    """One table; the last line is the geometric mean against the row's best."""
    print(f"\n{title}")
    print(f"{'':16}" + "".join(f"{n:>12}" for n in libraries))
    ratios = {n: [] for n in libraries}
    for row, _, _ in rows:
        values = {n: median[row, n][column] for n in libraries}
        best = min(values.values()) or 1e-9
        for n, v in values.items():
            ratios[n].append(max(v, 1e-9) / best)
        print(f"{row:16}" + "".join(f"{v / unit:12.2f}" for v in values.values()))
    print(f"{'against best':16}" + "".join(
        f"{math.exp(statistics.fmean(map(math.log, r))):12.2f}" for r in ratios.values()))


def write_csv(path, rows, libraries, median):
    with open(path, "w", newline="") as f:
        f.write(f"# {datetime.date.today()}; {platform.machine()}, {os.cpu_count()} processors; "
                f"Linux {platform.release()}; {' '.join(platform.libc_ver())}\n")
        f.write("# medians of interleaved runs; wall and processor seconds, peak KiB, page faults\n")
        w = csv.writer(f)
        w.writerow(["row", "allocator", "wall", "cpu", "peak", "faults"])
        for row, _, _ in rows:
            for n in libraries:
                m = median[row, n]
                w.writerow([row, n, f"{m[0]:.3f}", f"{m[1]:.3f}", int(m[2]), int(m[3])])


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--library", required=True)
    p.add_argument("--workloads", required=True)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--csv")
    p.add_argument("--quick", action="store_true")
    p.add_argument("peers", nargs="*", help="name=/path/lib.so")
    a = p.parse_args()
    libraries = {"litmalloc": os.path.abspath(a.library), "glibc": None, **find_peers(a.peers)}
    with tempfile.TemporaryDirectory() as folder:
        rows = [(n, [os.path.abspath(a.workloads), *c.split()], {}) for n, c in SMALL]
        rows += programs(folder)
        median = measure(rows, libraries, 2 if a.quick else a.rounds)
    print_table("wall seconds", rows, libraries, median, 0, 1)
    print_table("processor seconds", rows, libraries, median, 1, 1)
    print_table("peak resident, MiB", rows, libraries, median, 2, 1024)
    print_table("page faults, thousands", rows, libraries, median, 3, 1000)
    if a.csv:
        write_csv(a.csv, rows, libraries, median)


if __name__ == "__main__":
    main()
