#!/usr/bin/env python3
"""choices.py -- what each choice that a number decided is worth: the library as it is built
beside variants of it.

    choices.py [--data figures/data] [--rounds 7] [experiment ...]

A variant is tangled/ with some text replaced, built with the library's own flags.  A choice
that counts is counted: instructions by valgrind's callgrind, the same in every run.  What is
timed is timed in one interleaved run in drawn order, as a ratio to the library as it is built:
medians, seconds by the clock for threads, of the processor for one thread; peak resident
memory is beside it.  What is built is run once more
as `again`: what differs less from 1 than that row is no difference.
`make bench-choices` calls it; writes figures/data/choices-*.csv."""

import argparse
import concurrent.futures
import filecmp
import os
import random
import re
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

import peers
import programs

FOLDER = "build/choices"
CPUS = os.cpu_count()


# ---- what is measured -----------------------------------------------------------------

class Count:
    """Instructions a block of one loop of count.c; in a remote free, a call."""

    def __init__(self, name, loop, size, blocks, rounds, conf="", patch=()):
        self.name, self.words, self.conf, self.patch = name, [loop, str(size), str(blocks), str(rounds)], conf, patch
        self.blocks = blocks * rounds


class Time:
    """A workload of so many threads, a loop of count.c, or a program: time, and what it had resident at its peak."""

    def __init__(self, name, command, threads=1, mib=True, patch=(), time=True):
        self.name, self.threads, self.mib, self.patch, self.time = name, threads, mib, patch, time
        self.command = ["build/bench/workloads", command, str(threads)] if isinstance(command, str) else command
        self.more = {}


def seldom(what, threads):
    """What threads have resident whose stacks are seldom used."""
    return Time(what, ["build/bench/stacks", what], threads, time=False)


def shuffled(name, size, blocks, patch=()):
    """Batches of blocks, each freed in random order."""
    return Time(name, ["build/bench/count", "shuffled", str(size), str(blocks), str(max(1, 3000000 // blocks))], mib=False, patch=patch)


def work(name, threads=1, mib=True, patch=()):
    label = name.replace("-", "_") + (f"_x{threads}" if threads > 1 else "")
    return Time(label, name, threads, mib, patch)


# ---- the variants ---------------------------------------------------------------------

# A replacement: file, regular expression, what it becomes.  It must be found once, or the run ends.
NO_DEPOT = ("bin.c", r"parked = may_park\(b, full->nregions\);", "parked = false && may_park(b, 0);")
# For what a patch takes the last use of.
UNUSED = "__attribute__((unused)) "


def depth(most):
    return [("sizeclass.c", r"\(\(n\) >= 511 \?", rf"((n) >= {most} ? {most} : (n) >= 511 ?")]


def between_4_and_16_kib(kib):
    return [("sizeclass.c", r"#define CACHED\(s\)",
             rf"#define CACHED(s) ((s) > 4096 && (s) <= 16384 ? ALL_ONES({kib} * 1024 / (s)) : CACHED_ELSE(s))\n#define CACHED_ELSE(s)")]


def grows(how):
    return [("tcache.c", r"return n < most \? n : most;", f"return {how};")]


def batch(magazine, filled, sent):
    return [("sizeclass.c", r"\bCACHED\(s\) / 2 - 1\b", magazine),
            ("tcache.c", r"want = n / 2 \+ 1\b", f"want = {filled}"),
            ("tcache.c", r"half = n / 2 \+ \(n == 1\)", f"half = {sent}")]


# One instruction that does nothing, to see what it is worth where the others lie.
NOP = [("pagemap.h", r"INLINE size_t pagemap_class\(const void \*p\)\n\{\n", r'\g<0>    __asm__ volatile("nop");\n')]
# A root of 2^17 pointers, one a GiB, leads to the same bytes; all addresses have an entry, most of them NULL.
TWO_LEVELS = [
    ("pagemap.h", r"INLINE size_t pagemap_class\(const void \*p\)\n\{.*?\n\}\n", r"""extern HIDDEN uint8_t *pagemap_root[1 << 17];

INLINE size_t pagemap_class(const void *p)
{
    uint8_t *leaf = pagemap_root[(uintptr_t)p >> 30 & 0x1ffff];

    if (unlikely(leaf == NULL))
        return 0;
    return __atomic_load_n(&leaf[(uintptr_t)p / PAGE % (1 << (30 - PAGE_SHIFT))], __ATOMIC_RELAXED);
}
"""),
    ("pagemap.c", r"uint8_t \*pagemap_classes;", r"\g<0>\nuint8_t *pagemap_root[1 << 17];"),
    ("pagemap.c", r"    bit_set\(writable, part\);", r"\g<0>\n    pagemap_root[part] = pagemap_classes + part * PART_PAGES;"),
]
# As in 2006: the first page of a chunk belongs to its header, found by a mask; what begins with a chunk is huge.  Good for
# programs without huge blocks only, for ours need not begin there.
IN_HEADER = [
    ("pagemap.h", r"INLINE size_t pagemap_class\(const void \*p\)\n\{.*?\n\}\n", r"""INLINE size_t pagemap_class(const void *p)
{
    uintptr_t chunk = (uintptr_t)p & ~(uintptr_t)(CHUNK - 1);

    if (unlikely(p == NULL) || unlikely((uintptr_t)p == chunk))
        return 0;
    return __atomic_load_n((uint8_t *)chunk + ((uintptr_t)p - chunk) / PAGE, __ATOMIC_RELAXED);
}
"""),
    ("pagemap.c", r"__atomic_store_n\(&pagemap_classes\[address / PAGE \+ i\], \(uint8_t\)c,",
     r"__atomic_store_n((uint8_t *)(address & ~(uintptr_t)(CHUNK - 1)) + address % CHUNK / PAGE + i, (uint8_t)c,"),
    ("pageheap.c", r"form\(c, 0, CHUNK_PAGES,", "form(c, 1, CHUNK_PAGES - 1,"),
    ("pageheap.c", r"c->nfree < CHUNK_PAGES\)", "c->nfree < CHUNK_PAGES - 1)"),
    ("pageheap.c", r"for \(size_t i = 0; i < CHUNK_PAGES; i \+= c->runs", "for (size_t i = 1; i < CHUNK_PAGES; i += c->runs"),
]


def prefetch(n):
    return [("bin.c", r"\bPREFETCH = \d+", f"PREFETCH = {n}"),
            ("bin.c", r"if \(i \+ PREFETCH < n\)", "if (PREFETCH > 0 && i + PREFETCH < n)")]


def chunk(shift):
    return [("bits.h", r"\bCHUNK_SHIFT = \d+", f"CHUNK_SHIFT = {shift}")]


# Runs as long as they are built, from pages a quarter as long; `short`: those of the classes to 512 bytes a quarter as long, too.
def unit_of_4_kib(short):
    pages = "((pages) == 1 ? 1 : 4 * (pages))" if short else "(4 * (pages))"
    return [("bits.h", r"\bPAGE_SHIFT = \d+", "PAGE_SHIFT = 12"),
            ("chunk.h", r"free\[PAGE / QUANTUM / 64\]", "free[16]"),
            ("run.c", r"NWORDS = PAGE / QUANTUM / 64", "NWORDS = 16"),
            ("sizeclass.c", r"RECIPROCAL\(s\), \(pages\), \(pages\) \* PAGE / \(s\),", f"RECIPROCAL(s), {pages}, {pages} * PAGE / (s),")]


# The small classes, had other sizes between the four steps of a doubling: {size: pages of a run}.
def between(extra):
    with open("tangled/sizeclass.c") as f:
        pages = {int(s): int(n) for s, n in re.findall(r"SMALL\((\d+), (\d)\)", f.read())}
    steps = [16 * i for i in range(1, 9)] + [(4 + i) << k for k in range(5, 14) for i in range(1, 5)]
    small = sorted([s for s in steps if s <= 57344] + list(extra))
    medium = [1 + next(i for i, s in enumerate(small) if s >= n) for n in range(1024 + 128, 57344 + 1, 128)]
    return [("sizeclass.h", r"NCLASSES = \d+", f"NCLASSES = {len(small) + 22}"),
            ("sizeclass.h", r"NSMALL = \d+", f"NSMALL = {len(small) + 1}"),
            ("sizeclass.h", r"return sizeclass_quarter\(size\)[^;]*;",
             "return sizeclass_quarter(size)" + "".join(f" + (size > {s})" for s in extra) + ";"),
            ("sizeclass.c", r"    SMALL\(16, 1\),.*?(?=    LARGE\(65536\))",
             "".join(f"    SMALL({s}, {extra.get(s) or pages[s]}),\n" for s in small)),
            ("sizeclass.c", r"sizeclass_mediums\[\] = \{.*?\};", f"sizeclass_mediums[] = {{ {', '.join(map(str, medium))} }};"),
            ("tcache.h", r"NSMALL == 32 \+ 16", f"NSMALL == {len(small) + 1}"),
            ("tcache.h", r"TIMES32\(tcache_null\), TIMES16\(tcache_null\)", ", ".join(["tcache_null"] * (len(small) + 1)))]


EIGHT_STEPS = {1152: 2, 1408: 2, 1664: 4, 1920: 2, 2304: 4, 2816: 4, 3328: 7, 3840: 4, 4608: 4, 5632: 8, 6656: 7, 7680: 8}

# malloc and free as they were, one step after the other.
STEPS = [("bits.h", r'__asm__\("addq \$8, %0".*?\);', "++*at;"), ("bits.h", r'__asm__\("subq \$8, %0".*?\);', "--*at;")]
MOVE = [("bits.h", r'__asm__\("" : "\+a"\(p\)\);', "")]
DISTANCE = [("thread.h", r"THREAD_LOCAL struct thread \*thread_mine;", "THREAD_LOCAL uintptr_t thread_mine;"),
            ("thread.h", r"return thread_mine;", "return (struct thread *)((uintptr_t)&thread_none + thread_mine);"),
            ("thread.c", r"THREAD_LOCAL struct thread \*thread_mine = NOBODY;", "THREAD_LOCAL uintptr_t thread_mine;"),
            ("thread.c", r"thread_mine = NOBODY;", "thread_mine = 0;"),
            ("thread.c", r"thread_mine = t;", "thread_mine = (uintptr_t)t - (uintptr_t)&thread_none;")]


class Experiment:
    """name: of the CSV.  variants: (name, replacements, options).  turned: a row a measure, for many measures."""

    def __init__(self, name, variants, measures, turned=False):
        self.name, self.variants, self.measures, self.turned = name, variants, measures, turned


def experiments(found):
    python3, sqlite3 = (Time(name, *[c for n, c, _ in found if n == name]) for name in ("python3", "sqlite3"))
    return [
        Experiment("nines", [("as it is", [], ""), ("none between", between({}), ""),
                             ("eight steps", between(EIGHT_STEPS), "")], [
            sqlite3, python3, work("rptest"), work("rptest", 2), work("calloc")]),
        Experiment("door", [("a distance", STEPS + MOVE + DISTANCE, ""), ("a pointer", STEPS + MOVE, ""),
                            ("stepped in memory", MOVE, ""), ("no move", [], "")], [
            Count("pair_64", "pair", 64, 1, 20000), work("malloc-test", mib=False), work("threadtest", mib=False),
            work("shuffled", mib=False)]),
        Experiment("arenas", [("one", [], "narenas:1"), ("one_each", [], f"narenas:{CPUS}"), ("four_each", [], f"narenas:{4 * CPUS}")], [
            work("larson", 2), work("xmalloc", 4), work("mstress", 4), work("sh8bench", 2), work("rptest", 2), work("churn", 4),
            work("threadtest", 4), work("cache-scratch", 2)], turned=True),
        Experiment("depth", [(str(n), depth(n), "") for n in (63, 127, 255, 511, 1023)], [
            Count("batch_1000", "fifo", 64, 1000, 30), Count("lifo_5000", "lifo", 64, 5000, 8),
            work("threadtest"), work("xmalloc", 4), seldom("idle", 16)]),
        Experiment("bytes", [(f"{n} KiB", between_4_and_16_kib(n), "") for n in (32, 64, 128, 256)], [
            Count("24_of_8_KiB", "fifo", 8192, 24, 100), work("rptest"), work("mstress", 4)]),
        Experiment("growth", [("doubled", [], ""), ("full at once", grows("most"), ""),
                              ("never beyond 7", grows("most < FIRST_CAPACITY ? n < most ? n : most : FIRST_CAPACITY"), "")], [
            Count("batch_100", "fifo", 64, 100, 300), Count("batch_1000", "fifo", 64, 1000, 30),
            work("threadtest"), work("larson", 2), seldom("few", 64)]),
        Experiment("batch", [("a quarter", batch("CACHED(s) / 4 - 1", "n / 4 + 1", "n / 4 + (n <= 3)"), ""), ("half", [], ""),
                             ("seven eighths", batch("CACHED(s) - 1", "n - n / 8", "n - n / 8"), "")], [
            Count("batch_1000", "fifo", 64, 1000, 30), Count("lifo_5000", "lifo", 64, 5000, 8),
            work("larson"), work("xmalloc", 4)]),
        Experiment("map", [("flat window", [], ""), ("flat and a nop", NOP, ""), ("two levels", TWO_LEVELS, ""), ("chunk header", IN_HEADER, "")], [
            Count("pair_64", "pair", 64, 1, 20000), Count("shuffled_5000", "shuffled", 64, 5000, 8),
            shuffled("shuffled_100000", 64, 100000), work("shuffled", mib=False), work("trees", mib=False)]),
        Experiment("unit", [("16 KiB", [], ""), ("4 KiB", unit_of_4_kib(False), ""), ("4 KiB and short runs", unit_of_4_kib(True), "")], [
            Count("fifo_100000", "fifo", 64, 100000, 3), Count("no_depots", "shuffled", 64, 100000, 3, patch=[NO_DEPOT]),
            work("heap"), work("rptest"), work("mstress", 4)]),
        Experiment("chunk", [(f"{1 << n - 20} MiB", chunk(n), "") for n in (21, 22, 23)], [
            work("heap"), work("vectors"), work("mstress", 4), python3]),
        Experiment("hint", [("with it", [], ""), ("from word 0", [("run.c", r"\bw = r->hint;", "w = 0;")], "")], [
            Count("fifo_5000", "fifo", 16, 5000, 8), Count("fifo_100000", "fifo", 16, 100000, 3),
            Count("no_depots", "fifo", 16, 100000, 3, patch=[NO_DEPOT]),
            Count("no_caches", "fifo", 16, 100000, 3, conf="tcache:false")]),
        Experiment("prefetch", [(n and str(n) or "none", prefetch(n), "") for n in (0, 4, 8, 16)], [
            shuffled("64_bytes", 64, 100000), shuffled("no_depots", 64, 2000000, [NO_DEPOT]),
            work("heap", mib=False), work("graph", mib=False)]),
        Experiment("depot", [("depots", [], ""), ("none", [NO_DEPOT], "")], [
            Count("batch_1000", "fifo", 64, 1000, 30), Count("lifo_5000", "lifo", 64, 5000, 8),
            Count("shuffled_5000", "shuffled", 64, 5000, 8), Count("shuffled_100000", "shuffled", 64, 100000, 3),
            Count("remote_free", "remote", 64, 1000, 40)]),
    ]


# ---- building -------------------------------------------------------------------------

CC = shlex.split(os.environ.get("CHOICES_CC", "cc -std=gnu17 -O3 -fPIC -fvisibility=hidden -ftls-model=initial-exec -pthread")) + ["-g0"]
LINK = shlex.split(os.environ.get("CHOICES_LINK", "-shared -Wl,-Bsymbolic-functions -pthread"))


def command(args, folder):
    p = subprocess.run(args, cwd=folder, capture_output=True, text=True)
    if p.returncode != 0:
        sys.exit(f"choices: {' '.join(args)}\n{p.stderr[-2000:]}")


def compile_files(folder, names):
    def one(name):
        command([*CC, "-Wno-unused", *(["-fexceptions"] if name == "operators.c" else []), "-c", name], folder)
    with concurrent.futures.ThreadPoolExecutor(CPUS) as pool:
        list(pool.map(one, names))


def rooms(folder):
    return sorted(n for n in os.listdir(folder) if n.endswith(".c"))


def build(patches, known={}):
    """The library with those replacements, once.  What is not changed is compiled once for all."""
    if not patches and not known:
        shutil.rmtree(FOLDER, ignore_errors=True)
        os.makedirs(FOLDER)
    key = tuple(patches)
    if key in known:
        return known[key]
    base = None if not patches else os.path.dirname(build(()))
    folder = os.path.abspath(f"{FOLDER}/{len(known)}")
    os.makedirs(folder)
    for name in os.listdir("tangled"):
        if name.endswith((".c", ".h")):
            shutil.copy(f"tangled/{name}", folder)
    changed = set()
    for name, old, new in patches:
        path = os.path.join(folder, name)
        text = open(path).read()
        text, n = re.subn(old, new, text, flags=re.DOTALL)
        if n == 0:
            sys.exit(f"choices: {name} has nothing that looks like {old}")
        open(path, "w").write(text)
        changed.add(name)
    if base and not any(n.endswith(".h") for n in changed):
        for name in rooms(folder):
            if name not in changed:
                shutil.copy(f"{base}/{name[:-1]}o", folder)
        compile_files(folder, sorted(changed))
    else:
        compile_files(folder, rooms(folder))
    command([*CC[:1], *LINK, "-o", "variant.so", *(n[:-1] + "o" for n in rooms(folder))], folder)
    known[key] = f"{folder}/variant.so"
    return known[key]


# ---- measuring ------------------------------------------------------------------------

class Variant:
    def __init__(self, name, patches, conf):
        self.name, self.patches, self.conf = name, patches, conf

    def library(self, measure):
        return build((*self.patches, *measure.patch))

    def options(self, measure):
        conf = ",".join(c for c in (self.conf, getattr(measure, "conf", "")) if c)
        return {"LITMALLOC_CONF": conf} if conf else {}


def as_built(experiment, variants):
    """Which variant is the library as it is: the same machine code, or the number of arenas that it makes by itself."""
    if experiment.name == "arenas":
        return variants[2 if "4 * count_cpus()" in open("tangled/malloc.c").read() else 1]
    same = [v for v in variants if filecmp.cmp(build(()), build(tuple(v.patches)), shallow=False)]
    if len(same) != 1:
        sys.exit(f"choices: {experiment.name}: {len(same)} variants are the library as it is built; there must be one")
    return same[0]


def count_all(experiment, variants):
    counts = [m for m in experiment.measures if isinstance(m, Count)]
    jobs = [(m, v) for m in counts for v in variants]

    def one(job):
        m, v = job
        return peers.instructions(v.library(m), m.words, v.options(m)) / m.blocks

    def loop(m):
        return peers.instructions(None, [*m.words, "null"]) / m.blocks - (1 if m.words[0] == "remote" else 2)
    for m, v in jobs:
        v.library(m)            # built one after the other
    with concurrent.futures.ThreadPoolExecutor(CPUS) as pool:
        own = dict(zip(counts, pool.map(loop, counts)))
        return {(m.name, v.name): value - own[m] for (m, v), value in zip(jobs, pool.map(one, jobs))}


def time_all(experiment, variants, rounds):
    """{(measure, variant): [Cost, ...]}, turn by turn in drawn order; the first turn is thrown away."""
    times = [m for m in experiment.measures if isinstance(m, Time)]
    costs, dice = {}, random.Random(2006)
    for turn in range(rounds + 1 if times else 0):
        for m in times:
            peers.progress(f"{experiment.name}, round {turn} of {rounds}, {m.name}")
            for v in dice.sample(variants, len(variants)):
                cost = peers.run(m.command, v.library(m), {**m.more, **v.options(m)}, peers.ONE_CPU if m.threads == 1 else None)
                if turn > 0:
                    costs.setdefault((m.name, v.name), []).append(cost)
    return costs


def table(experiment, rounds):
    """Head and rows of the CSV."""
    variants = [Variant(*v) for v in experiment.variants]
    base = as_built(experiment, variants)
    again = Variant("again", base.patches, base.conf)
    counted = count_all(experiment, variants)
    timed_too = [*variants, again] if any(isinstance(m, Time) for m in experiment.measures) else variants
    costs = time_all(experiment, timed_too, rounds)

    def cells(m, v):
        if isinstance(m, Count):
            return [f"{counted[m.name, base.name if v is again else v.name]:.1f}"]
        # Of one thread: processor time, for on a busy machine it may have to wait.
        spent = {x: statistics.median(c.wall if m.threads > 1 else c.cpu for c in costs[m.name, x.name]) for x in (v, base)}
        mib = statistics.median(c.peak for c in costs[m.name, v.name]) / 1024
        return ([f"{spent[v] / spent[base]:.2f}"] if m.time else []) + ([f"{mib:.1f}"] if m.mib else [])

    def heads(m, name):
        return [name] if isinstance(m, Count) else [name] * m.time + [f"{name}_MiB"] * m.mib
    if experiment.turned:
        head = ["row"] + [h for v in timed_too for h in heads(experiment.measures[0], v.name)]
        return base, head, [[m.name.replace("_", " "), *(c for v in timed_too for c in cells(m, v))] for m in experiment.measures]
    head = ["variant"] + [h for m in experiment.measures for h in heads(m, m.name)]
    return base, head, [[v.name, *(c for m in experiment.measures for c in cells(m, v))] for v in timed_too]


def array_or_list(data):
    """Two stacks that are not the library's: tests/bench/stacks.c."""
    def counted(kind):
        p = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
                            "build/bench/stacks", kind], capture_output=True, text=True)
        m = re.search(r"Collected : (\d+)", p.stderr)
        if p.returncode != 0 or not m:
            sys.exit(f"choices: stacks {kind}: {p.stderr[-400:]}")
        return int(m[1])
    rows = [["put and take; instructions", *(f"{(counted(k) - counted('nothing')) / 100000:.1f}" for k in ("array", "list"))]]
    p = subprocess.run(["taskset", "-c", str(peers.ONE_CPU), "build/bench/stacks"], capture_output=True, text=True)
    if p.returncode != 0:
        sys.exit(f"choices: stacks: {p.stderr[-400:]}")
    rows += [line.split(",") for line in p.stdout.splitlines()]
    save(data, "list", ["what", "array", "list"], rows, "instructions, and ns a region, medians of 301 rounds of 511 regions")


def save(data, name, head, rows, remark):
    if data:
        peers.write_csv(f"{data}/choices-{name}.csv", head, rows, f"make bench-choices: {remark}", {})
    width = [max(len(str(r[i])) for r in [head, *rows]) + 2 for i in range(len(head))]
    print(f"\n{name}: {remark}")
    for r in [head, *rows]:
        print("".join(f"{c:<{w}}" if i == 0 else f"{c:>{w}}" for i, (c, w) in enumerate(zip(r, width))), flush=True)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data")
    p.add_argument("--rounds", type=int, default=11)
    p.add_argument("wanted", nargs="*")
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found, _ = programs.programs(folder)
        every = experiments(found)
        names = [e.name for e in every] + ["list"]
        for n in a.wanted:
            if n not in names:
                sys.exit(f"choices: no experiment is called {n}; there are: {' '.join(names)}")
        for e in every:
            if not a.wanted or e.name in a.wanted:
                base, head, rows = table(e, a.rounds)
                kinds = {type(m) for m in e.measures}
                what = ["instructions"] * (Count in kinds)
                what += [f"times over those of what is built, medians of {a.rounds} interleaved rounds"] * (Time in kinds)
                save(a.data, e.name, head, rows, f"built: {base.name}; " + "; ".join(what))
        if not a.wanted or "list" in a.wanted:
            array_or_list(a.data)


if __name__ == "__main__":
    main()
