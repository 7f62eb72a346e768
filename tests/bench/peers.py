"""peers.py -- what the benchmark scripts share: the libraries, one run, the head of a CSV."""

import csv
import datetime
import math
import os
import platform
import re
import statistics
import subprocess
import sys

# Debian's packages, by the name of the library.
PACKAGED = {
    "jemalloc": ("libjemalloc.so.2", "libjemalloc2"),
    "mimalloc": ("libmimalloc.so.2.0", "libmimalloc2.0"),
    "tcmalloc": ("libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
    "tbbmalloc": ("libtbbmalloc_proxy.so.2", "libtbbmalloc2"),
}
FOLDERS = [f"/usr/lib/{platform.machine()}-linux-gnu", "/usr/lib64", "/usr/lib"]

# How each is asked to give free pages back after half a second, where it can be asked.
SOON = {
    "litmalloc": {"LITMALLOC_CONF": "decay_ms:500"},
    "jemalloc": {"MALLOC_CONF": "dirty_decay_ms:500,muzzy_decay_ms:0"},
}


def installed(file):
    return next((os.path.join(d, file) for d in FOLDERS if os.path.exists(os.path.join(d, file))), None)


def version(package):
    p = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True)
    return p.stdout.split("+")[0] if p.returncode == 0 else "?"


def find(library, extra=(), onelock=False):
    """{name: path or None}: ours, glibc (None), the packaged ones, those named on the command line."""
    libraries = {"litmalloc": os.path.abspath(library), "glibc": None}
    for name, (file, package) in PACKAGED.items():
        path = installed(file)
        if path:
            libraries[name] = path
        else:
            print(f"bench: {name} is left out: {file} comes with Debian's package {package}", file=sys.stderr)
    if onelock and os.path.exists("build/libonelock.so"):
        libraries["onelock"] = os.path.abspath("build/libonelock.so")
    for pair in extra:
        name, _, path = pair.partition("=")
        if not path or not os.path.exists(path):
            sys.exit(f"bench: {pair}: no such library; say NAME=/path/lib.so")
        libraries[name] = os.path.abspath(path)
    return libraries


def environment(more=None):
    env = {k: v for k, v in os.environ.items() if k not in ("LD_PRELOAD", "AFTER", "BENCH_SCRIPT")}
    env.update(more or {})
    return env


# Processors are not alike while somebody else's work runs on one of them: what has one thread gets one and the same.
ONE_CPU = max(os.sched_getaffinity(0))


class Cost:
    """What one run cost: seconds, KiB, page faults, those that stopped the program, the KiB that wait4 reports."""

    def __init__(self, line):
        wall, user, system, peak, faults, exceptions, reported = line.split()
        self.wall, self.cpu = float(wall), float(user) + float(system)
        self.peak, self.faults, self.exceptions = int(peak), int(faults), int(exceptions)
        self.reported = int(reported)


def run(command, library, more=None, cpu=None, copies=1):
    """One run in a process of its own, through build/bench/run, on processor `cpu` alone if there is one named; or several
    copies of it at once, each on a processor of its own, and the time until the last has ended."""
    read, write = os.pipe()

    def prepare():
        os.dup2(write, 3)
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})
    several = ["-c", str(copies)] if copies > 1 else []
    p = subprocess.Popen(["build/bench/run", *several, library or "-", *command], env=environment(more), pass_fds=[],
                         stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, close_fds=False,
                         preexec_fn=prepare)
    os.close(write)
    error = p.stderr.read().decode(errors="replace")
    line = os.read(read, 200).decode()
    os.close(read)
    if p.wait() != 0 or not line:
        sys.exit(f"\nbench: {' '.join(command)} failed under {library}: {error[-300:]}")
    return Cost(line)


def instructions(library, words, more=None):
    """How many instructions build/bench/count takes, between its two marks."""
    # The library for the program alone, not for valgrind.
    env = environment({**(more or {}), **({"LD_PRELOAD": library} if library else {})})
    p = subprocess.run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", "--collect-atstart=no",
                        "build/bench/count", *words],
                       env=env, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, timeout=300)
    m = re.search(r"Collected : (\d+)", p.stderr)
    if p.returncode != 0 or not m:
        sys.exit(f"\nbench: count {' '.join(words)} failed under {library}: {p.stderr[-400:]}")
    return int(m[1])


def mean(values):
    """The geometric mean."""
    return math.exp(statistics.fmean(math.log(max(v, 1e-9)) for v in values))


def machine():
    model = "?"
    if os.path.exists("/proc/cpuinfo"):
        for line in open("/proc/cpuinfo"):
            if line.startswith("model name"):
                model = line.split(":")[1].strip()
                break
    return (f"{platform.machine()}, {model}, {os.cpu_count()} processors, Linux {platform.release()}, "
            f"{' '.join(platform.libc_ver())}; {datetime.date.today()}")


def versions(libraries):
    known = [f"{n} {version(PACKAGED[n][1])}" for n in libraries if n in PACKAGED]
    return ", ".join(known)


def write_csv(path, head, rows, remark, libraries):
    """One table for the book; the remarks say where its numbers come from."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w", newline="") as f:
        f.write(f"# {remark}\n# {machine()}\n# {versions(libraries)}\n")
        w = csv.writer(f, lineterminator="\n")
        w.writerow(head)
        # The book's reader of tables knows no quotation marks.
        w.writerows([str(cell).replace(",", ";") for cell in row] for row in rows)


def progress(text):
    if sys.stderr.isatty() or os.environ.get("PROGRESS"):
        print(f"\r{text:78.78}", end="", file=sys.stderr, flush=True)
    else:
        now = text.split(",")[0]
        if now != progress.last:
            print(now, file=sys.stderr, flush=True)
            progress.last = now


progress.last = None
