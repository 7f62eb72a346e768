#!/usr/bin/env python3
"""results.py -- the experiments of the chapter Results: those of Evans' paper of 2006 on
today's machine, and what each design decision is worth.

    results.py [--data figures/data] [--quick] [WHAT...]

WHAT: malloctest arenas assign server programs classes ablations; all of them without it.
Each writes results-WHAT.csv.  `make bench-results` calls it, ROWS="..." says which."""

import argparse
import csv
import glob
import os
import random
import statistics
import subprocess
import sys
import tempfile
import threading

import peers
import programs

THREADS = [1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 16, 17, 20]
CYCLES = 60_000_000         # PAIRS in published.c
SHARE = 6
CLIENTS = [5, 20, 50, 100]
NAMES = ["litmalloc", "onelock", "glibc", "jemalloc", "mimalloc", "tcmalloc"]


def interleaved(jobs, rounds, what):
    """{key: [value, ...]} of jobs {key: function}, all in each round, in an order drawn by lot."""
    values, dice = {k: [] for k in jobs}, random.Random(2006)
    for r in range(rounds):
        for number, k in enumerate(dice.sample(list(jobs), len(jobs))):
            peers.progress(f"{what}: round {r + 1} of {rounds}, {number + 1} of {len(jobs)}")
            values[k].append(jobs[k]())
    print(f"\r{'':78}", file=sys.stderr)
    return values


def quartiles(v):
    v = sorted(v)
    return v[0], statistics.median(v), v[-1]


class Lab:
    def __init__(self, library, data, quick):
        found = peers.find(library, onelock=True)
        self.libraries = {n: found[n] for n in NAMES if n in found}
        self.data, self.quick = data, quick

    def save(self, name, head, rows, remark):
        peers.write_csv(os.path.join(self.data, f"results-{name}.csv"), head, rows,
                        f"make bench-results ROWS={name.split('-')[0]}; {remark}", self.libraries)
        width = [max(len(str(r[i])) for r in [head, *rows]) for i in range(len(head))]
        print(f"\n{name}: {remark}")
        for r in [head, *rows]:
            print("  ".join(f"{str(c):>{w}}" for c, w in zip(r, width)))

    # -- Figure 6: malloc-test ---------------------------------------------------------------

    def cycles_per_second(self, library, threads, conf=None):
        more = {"SHARE": str(SHARE), **({"LITMALLOC_CONF": conf} if conf else {})}
        cost = peers.run(["build/bench/workloads", "malloc-test", str(threads)], library, more,
                         peers.ONE_CPU if threads == 1 else None)
        return CYCLES / SHARE / cost.wall / 1e6

    def malloctest(self):
        jobs = {(t, n): lambda t=t, path=path: self.cycles_per_second(path, t)
                for t in THREADS for n, path in self.libraries.items()}
        got = interleaved(jobs, 2 if self.quick else 5, "malloc-test")
        head = ["threads"] + [n + s for n in self.libraries for s in ("", "_low", "_high")]
        rows = []
        for t in THREADS:
            row = [t]
            for n in self.libraries:
                low, middle, high = quartiles(got[t, n])
                row += [f"{middle:.2f}", f"{low:.2f}", f"{high:.2f}"]
            rows.append(row)
        self.save("malloctest", head, rows, f"million pairs a second; {CYCLES // SHARE} pairs of 512 bytes in all")
        at = {(t, n): statistics.median(got[t, n]) for t in THREADS for n in self.libraries}
        self.save("malloctest-summary", ["allocator", "one", "two", "eight", "twenty", "gain", "kept"], [
            [n, *(f"{at[t, n]:.1f}" for t in (1, 2, 8, 20)), f"{at[2, n] / at[1, n]:.2f}", f"{at[20, n] / at[2, n]:.2f}"]
            for n in self.libraries], "million pairs a second; gain: two threads over one; kept: twenty over two")

    # -- arenas without caches: the paper's design, and one arena -----------------------------

    def arenas(self):
        arenas = 4 * os.cpu_count()
        ways = {"cached": "tcache:true", "arenas": f"tcache:false,narenas:{arenas}",
                "two": "tcache:false,narenas:2", "one": "tcache:false,narenas:1"}
        ours = self.libraries["litmalloc"]
        jobs = {(t, w): lambda t=t, conf=conf: self.cycles_per_second(ours, t, conf)
                for t in THREADS for w, conf in ways.items()}
        got = interleaved(jobs, 2 if self.quick else 5, "arenas")
        self.save("arenas", ["threads", *ways], [
            [t, *(f"{statistics.median(got[t, w]):.2f}" for w in ways)] for t in THREADS],
            f"million pairs a second; caches on, or off with {arenas} arenas, 2, 1")

    # -- how threads are spread over arenas: a simulation ---------------------------------------

    def assign(self):
        """The fullest of 8 arenas, over its fair share, after 200 threads have been replaced."""
        arenas, rng, rows = 8, random.Random(2006), []

        def idents(n):
            gate, ids = threading.Event(), []
            ts = [threading.Thread(target=lambda: (ids.append(threading.get_ident()), gate.wait())) for _ in range(n)]
            for t in ts:
                t.start()
            gate.set()
            for t in ts:
                t.join()
            return ids

        def fullest(threads, rule):
            worst = []
            for _ in range(100):
                load, at, turn = [0] * arenas, [], 0
                for step in range(threads + 200):
                    if step >= threads:                    # somebody leaves
                        load[at.pop(rng.randrange(len(at)))] -= 1
                    if rule == "hash":
                        a = rng.randrange(arenas)
                    elif rule == "robin":
                        a = turn % arenas
                        turn += 1
                    else:
                        a = min(range(arenas), key=lambda i: (load[i], i))
                    load[a] += 1
                    at.append(a)
                worst.append(max(load))
            return statistics.fmean(worst)
        for n in (2, 4, 8, 12, 16, 24, 32):
            ids = idents(n)
            low = max(sum(i % arenas == a for i in ids) for a in range(arenas))
            prime = max(sum(i % 11 == a for i in ids) for a in range(11))
            rows.append([n, -(-n // arenas), *(f"{fullest(n, r):.1f}" for r in ("hash", "robin", "fewest")), low, prime])
        self.save("assign", ["threads", "fair", "hash", "robin", "fewest", "self8", "self11"], rows,
                  "threads in the fullest of 8 arenas after 200 replacements, mean of 100; pthread_self() modulo 8 and 11")

    # -- Figure 7: a server under 5 to 100 clients ----------------------------------------------

    def server(self):
        with tempfile.TemporaryDirectory() as folder:
            whole, missing = programs.programs(folder)
            if "redis-server" in missing:
                return print("bench-results: server is left out: Debian's package redis-server is missing", file=sys.stderr)
            command, more = next((c, e) for n, c, e in whole if n == "redis")
            n = 20000

            def requests(path, clients):
                peers.run([*command, str(clients), str(n)], path, more)
                with open(os.path.join(folder, "result.csv")) as f:
                    each = [float(r["rps"]) for r in csv.DictReader(f)]
                return len(each) / sum(1 / e for e in each) / 1000
            jobs = {(c, name): lambda c=c, path=path: requests(path, c) for c in CLIENTS for name, path in self.libraries.items()}
            got = interleaved(jobs, 3 if self.quick else 10, "server")
        rows = [[c, name, *(f"{x:.1f}" for x in quartiles(got[c, name]))] for c in CLIENTS for name in self.libraries]
        self.save("server", ["clients", "allocator", "low", "median", "high"], rows,
                  "redis-server, thousand requests a second, harmonic mean of set, get, lpush, lpop, hset")
        self.save("server-spread", ["allocator", "spread", "median"], [
            [name, f"{100 * statistics.fmean((max(got[c, name]) - min(got[c, name])) / statistics.median(got[c, name]) for c in CLIENTS):.0f}",
             f"{statistics.fmean(statistics.median(got[c, name]) for c in CLIENTS):.0f}"] for name in self.libraries],
            "(most - least) / median, percent, mean over the numbers of clients; mean of the medians")

    # -- Figure 8: single-threaded programs -------------------------------------------------------

    def single(self, folder):
        with open(os.path.join(folder, "cca.pl"), "w") as f:
            f.write(CCA)
        with open(os.path.join(folder, "parse.py"), "w") as f:
            f.write(PARSE)
        sources = sorted(glob.glob("tangled/*.[ch]") + glob.glob("tests/*/*.c"))
        whole, _ = programs.programs(folder)
        rows = [
            ("cca", ["/usr/bin/perl", os.path.join(folder, "cca.pl"), *sources], {"PERL_HASH_SEED": "0"}),
            ("cfrac", ["build/bench/workloads", "cfrac"], {}),
            *[("gs", c, e) for n, c, e in whole if n == "gs"],
            ("sh6bench", ["build/bench/workloads", "sh6bench"], {}),
            ("parse", ["/usr/bin/python3", os.path.join(folder, "parse.py")], {"PYTHONMALLOC": "malloc"}),
        ]
        return [r for r in rows if r[0] != "cca" or os.path.exists("/usr/bin/perl")]

    def programs(self):
        with tempfile.TemporaryDirectory() as folder:
            rows = self.single(folder)
            jobs = {(r[0], n): lambda r=r, path=path: peers.run(r[1], path, r[2], peers.ONE_CPU) for r in rows for n, path in self.libraries.items()}
            got = interleaved(jobs, 2 if self.quick else 7, "programs")
        for name, value, form, what in (("programs", lambda c: c.wall, "{:.3f}", "seconds"),
                                        ("programs-peak", lambda c: c.peak / 1024, "{:.1f}", "MiB, peak resident"),
                                        ("programs-faults", lambda c: c.faults, "{:.0f}", "page faults")):
            self.save(name, ["allocator", *(r[0] for r in rows)], [
                [n, *(form.format(statistics.median(map(value, got[r[0], n]))) for r in rows)] for n in self.libraries], what)

    # -- what spacing the classes is worth ---------------------------------------------------------

    def classes(self):
        """The sizes that real programs ask for, and what each rule of rounding would add."""
        ours = []
        for name in ("classes", "classes-large"):
            with open(f"figures/data/{name}.csv") as f:
                ours += [int(r["size"]) for r in csv.DictReader(line for line in f if not line.startswith("#"))]
        powers = [2 ** k for k in range(4, 20)]
        eight = list(range(16, 129, 16)) + [(8 + i) << k for k in range(4, 14) for i in range(1, 9)]
        paper = [2, 4, 8] + list(range(16, 513, 16)) + [1024, 2048] + [2 ** k for k in range(12, 20)]

        def rounder(sizes):
            sizes, table, at = sorted(sizes), [], 0
            for n in range(65537):
                while sizes[at] < n:
                    at += 1
                table.append(sizes[at])
            return table
        ways = {"powers": rounder(powers), "paper": rounder(paper), "glibc": [max(32, (n + 8 + 15) // 16 * 16) for n in range(65537)],
                "ours": rounder(ours), "eight": rounder(eight)}
        table = []
        with tempfile.TemporaryDirectory() as folder:
            whole, _ = programs.programs(folder)
            more = [r for r in self.single(folder) if r[0] in ("cca", "parse")]
            for name, command, env in [w for w in whole if w[0] != "redis"] + more:
                peers.progress(f"classes: {name}")
                subprocess.run(command, env=peers.environment({**env, "LD_PRELOAD": os.path.abspath("build/bench/sizes.so"),
                                                               "SIZES": os.path.join(folder, "sizes-" + name)}),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=True)
                asked = {}
                for path in glob.glob(os.path.join(folder, f"sizes-{name}.*")):
                    for line in open(path):
                        size, n = line.split()
                        if size != "larger":
                            asked[int(size)] = asked.get(int(size), 0) + int(n)
                calls, total = sum(asked.values()), sum(s * n for s, n in asked.items())
                small = sum(n for s, n in asked.items() if s <= 512)
                table.append([name, f"{calls / 1000:.0f}", f"{100 * small / calls:.1f}", f"{total / calls:.0f}", *(
                    f"{100 * (sum(w[s] * n for s, n in asked.items()) - total) / total:.1f}" for w in ways.values())])
        print(f"\r{'':78}", file=sys.stderr)
        means = ["mean", "–", f"{statistics.fmean(float(r[2]) for r in table):.1f}", "–",
                 *(f"{statistics.fmean(float(r[i]) for r in table):.1f}" for i in range(4, 4 + len(ways)))]
        self.save("classes", ["program", "calls", "small", "mean", *ways], [*table, means],
                  "requests in thousands, percent of at most 512 bytes, mean size; percent that rounding adds to what was asked")

    # -- our own design with one part taken out ------------------------------------------------------

    def ablations(self):
        ways = {"as it is": "", "no caches": "tcache:false", "small caches": "tcache_bytes:65536", "one arena": "narenas:1",
                "purge at once": "decay_ms:0", "never purge": "decay_ms:-1"}
        rows = [("malloc-test", 2), ("larson", 2), ("xmalloc", 2), ("xmalloc", 4), ("churn", 1), ("shuffled", 1), ("heap", 1), ("large", 1), ("vectors", 1)]
        ours = self.libraries["litmalloc"]
        jobs = {(n, t, w): lambda n=n, t=t, conf=conf: peers.run(
            ["build/bench/workloads", n, str(t)], ours, {"SHARE": "10", **({"LITMALLOC_CONF": conf} if conf else {})},
            peers.ONE_CPU if t == 1 else None) for n, t in rows for w, conf in ways.items()}
        got = interleaved(jobs, 2 if self.quick else 15, "ablations")
        labels = [n if t == 1 else f"{n} x{t}" for n, t in rows]

        def middle(n, t, w, what):
            return statistics.median(getattr(c, what) for c in got[n, t, w])
        for name, what, form, remark in (("ablations", "wall", "{:.2f}", "time"), ("ablations-peak", "peak", "{:.2f}", "peak resident"),
                                         ("ablations-faults", "faults", "{:.2f}", "page faults")):
            self.save(name, ["workload", *(w.replace(" ", "_") for w in ways)], [
                [label, *(form.format(middle(n, t, w, what) / middle(n, t, "as it is", what)) for w in ways)]
                for label, (n, t) in zip(labels, rows)], f"{remark}, divided by that of the allocator as it is")


# cca: what Evans' Perl script did, from its description: the logic of the preprocessor out of C files.
CCA = r"""
use strict; my %seen; my @all;
for my $round (1 .. 4) {
  for my $file (@ARGV) {
    open my $f, '<', $file or die "$file: $!"; local $/; my $text = <$f>; close $f;
    $text =~ s{/\*.*?\*/}{ }gs; $text =~ s/\\\n/ /g; my @stack;
    for my $line (split /\n/, $text) {
      if ($line =~ /^\s*#\s*(if|ifdef|ifndef|elif)\b\s*(.*?)\s*$/) { push @stack, "$1 $2" if $1 ne 'elif'; $seen{"$1 $2"}++ }
      elsif ($line =~ /^\s*#\s*endif/) { pop @stack }
      elsif ($line =~ /^\s*#\s*define\s+(\w+)(?:\(([^)]*)\))?\s*(.*)$/) { push @{ $seen{"define $1"} ||= [] }, join '|', @stack, $3 if !$seen{"define $1"} || ref $seen{"define $1"} }
      for my $word ($line =~ /\b([A-Za-z_]\w*)\b/g) { $seen{"word $word"} .= length $word if length($seen{"word $word"} // '') < 40 }
      push @all, [ $file, $line =~ /(\S+)/g ] if $line =~ /[;{}]\s*$/;
    }
  }
}
print scalar(keys %seen), ' ', scalar(@all), "\n";
"""

# parse: in the place of Evans' ML parser and optimiser, a parser whose trees are in the heap.
PARSE = """
import ast, glob, os
folder = os.path.dirname(os.__file__)
trees = []
for path in sorted(glob.glob(folder + "/*.py"))[:45]:
    tree = ast.parse(open(path, encoding="utf-8").read())
    trees.append(sum(1 for _ in ast.walk(tree)))
    if len(trees) % 5 == 0:
        compile(tree, path, "exec", optimize=2)
print(sum(trees))
"""


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--library", default="build/liblitmalloc.so")
    p.add_argument("--data", default="figures/data")
    p.add_argument("--quick", action="store_true")
    p.add_argument("what", nargs="*")
    a = p.parse_args()
    lab = Lab(a.library, a.data, a.quick)
    all_of_them = ["malloctest", "arenas", "assign", "server", "programs", "classes", "ablations"]
    for what in a.what or all_of_them:
        if what not in all_of_them:
            sys.exit(f"bench-results: there is no {what}; there are: {' '.join(all_of_them)}")
        getattr(lab, what)()


if __name__ == "__main__":
    main()
