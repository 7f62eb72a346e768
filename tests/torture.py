#!/usr/bin/env python3
"""The long tests, one after the other; see tests/torture.mk.

Each program of tests/stress, tests/faults and tests/model is built as tests/run builds
it and run with LONG=1 on the library as it is released.  What it writes last says how
much it did; its peak of resident memory, with that of its children, comes from the
kernel.  Ends with: N passed, N failed, N skipped."""

import argparse
import csv
import datetime
import glob
import os
import platform
import re
import resource
import signal
import subprocess
import sys
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OUT = "build/torture"
LIMIT = 1800                            # seconds for one program
CC = os.environ.get("CC", "cc")
LIB = os.path.join(TOP, "build/liblitmalloc.so")
DEBUG_LIB = os.path.join(TOP, "build/debug/liblitmalloc.so")
LIBDIR = "/usr/lib/%s-linux-gnu" % platform.machine()
PEERS = [                               # name, library or None, Debian's package
    ("litmalloc", LIB, None),
    ("glibc", None, "libc6"),
    ("jemalloc", LIBDIR + "/libjemalloc.so.2", "libjemalloc2"),
    ("mimalloc", LIBDIR + "/libmimalloc.so.2", "libmimalloc2.0"),
    ("tcmalloc", LIBDIR + "/libtcmalloc_minimal.so.4", "libtcmalloc-minimal4"),
    ("tbb", LIBDIR + "/libtbbmalloc_proxy.so.2", "libtbbmalloc2"),
]


def version(package):
    got = subprocess.run(["dpkg-query", "-W", "-f", "${Version}", package],
                         capture_output=True, text=True)
    return got.stdout if got.returncode == 0 else "unknown"


def remarks(command):
    """The lines that each table begins with, after the names of its columns."""
    cpu = re.search(r"model name\s*: (.*)", open("/proc/cpuinfo").read())
    yield "# %s, %d processors, Linux %s" % (cpu.group(1) if cpu else platform.machine(),
                                             os.cpu_count(), platform.release())
    yield "# %s, written by: %s" % (datetime.date.today(), command)


def write_table(name, command, columns, rows, more=()):
    with open("figures/data/" + name, "w", newline="") as f:
        print(",".join(columns), file=f)
        # The weaving splits at every comma.
        assert not any("," in str(field) for row in rows for field in row)
        for line in list(remarks(command)) + list(more):
            print(line, file=f)
        csv.writer(f, lineterminator="\n").writerows(rows)
    print("wrote figures/data/" + name)


def directive(source, name):
    return re.findall(r"^/\* *%s: *(.*[^ ]) *\*/ *$" % name, open(source).read(), re.M)


def build(source, program, flags=()):
    os.makedirs(os.path.dirname(program), exist_ok=True)
    command = [CC, "-std=gnu17", "-g", "-O1", "-w", "-fno-builtin", "-pthread", "-iquote", "tangled",
               "-Itests", source, "-o", program, *flags]
    for words in directive(source, "cc"):
        command += words.split()
    got = subprocess.run(command + ["-ldl", "-lm"], capture_output=True, text=True)
    if got.returncode != 0:
        sys.exit("torture: %s does not build\n%s" % (source, got.stderr))


def peers_here():
    """Those that are installed; a missing one is named."""
    for name, path, package in PEERS:
        if path is not None and not os.path.exists(path):
            sys.exit("torture: %s is missing; it comes with Debian's package %s" % (path, package))
        yield name, path


# ---- torture -------------------------------------------------------------------------

def run(program, environment):
    """Run with a time limit, in a group of its own: status, output, seconds, peak KiB."""
    log = program + ".log"
    begin = time.monotonic()
    with open(log, "wb") as f:
        child = subprocess.Popen([program], stdout=f, stderr=f, stdin=subprocess.DEVNULL,
                                 env=environment, start_new_session=True)
        def stop(*_):
            os.killpg(child.pid, signal.SIGKILL)
        signal.signal(signal.SIGALRM, stop)
        signal.alarm(LIMIT)
        _, status, usage = os.wait4(child.pid, 0)
        signal.alarm(0)
    seconds = time.monotonic() - begin
    text = open(log, errors="replace").read()
    return status, text, seconds, usage.ru_maxrss


def verdict_of(status, seconds):
    if status == 0:
        return "passed"
    if os.WIFEXITED(status) and os.WEXITSTATUS(status) == 77:
        return "skipped"
    return "stopped" if seconds >= LIMIT else "failed"


def sources(only):
    for group in "stress", "faults", "model":
        for source in sorted(glob.glob("tests/%s/*.c" % group)):
            name = os.path.basename(source)[:-2]
            # Only what can be preloaded: the others are linked with debug rooms.
            if (only is None or only == name) and directive(source, "link") in ([], ["preload"]):
                yield group, name, source


def write_faults(path, command):
    """each_call writes a row for each call and mode; the table has one for each call."""
    sums = {}
    for call, mode, *numbers in csv.reader(open(path)):
        name = {"any": "any at random", "strict": "strict accounting"}.get(
            mode if mode == "strict" else call, call)
        for key in name, "all":
            sums[key] = [a + int(b) for a, b in zip(sums.get(key, [0, 0, 0]), numbers)]
    if sums:
        sums["all"] = sums.pop("all")
        write_table("trust-faults.csv", command, ["call", "refused", "runs", "failures"],
                    [[name] + row for name, row in sums.items()])


def torture(seed, only, quick):
    rows, count = [], {"passed": 0, "failed": 0, "skipped": 0}
    faults = os.path.abspath(OUT + "/faults.csv")
    os.makedirs(OUT, exist_ok=True)
    open(faults, "w").close()
    begin = time.monotonic()
    work = [(g, n, s, LIB, "") for g, n, s in sources(only)]
    # The assertions of the debug build watch over the refusals, too.
    work += [(g, n, s, DEBUG_LIB, " (debug)") for g, n, s, _, _ in work if n == "each_call"]
    for group, name, source, library, mark in work:
        program = os.path.join(TOP, OUT, group, name)
        build(source, program)
        environment = dict(os.environ, LD_PRELOAD=library, SEED=str(seed), CC=CC,
                           FAULTS_CSV=faults if library == LIB else "/dev/null")
        for setting in directive(source, "env"):
            environment.update([setting.split("=", 1)])
        if library == LIB and not quick:
            environment["LONG"] = "1"
        status, text, seconds, peak = run(program, environment)
        verdict = verdict_of(status, seconds)
        count["failed" if verdict == "stopped" else verdict] += 1
        last = text.strip().splitlines()[-1] if text.strip() else ""
        rounds = re.search(r": (\d+)", last)
        rounds = rounds.group(1) if rounds and verdict == "passed" else "-"
        rows.append([name.replace("_", " ") + mark, seed, rounds, "%.0f" % seconds, peak // 1024,
                     verdict])
        print("%-8s %5.0f s %6d MiB  %s/%s%s: %s" % (verdict, seconds, peak // 1024, group, name,
                                                  mark, last), flush=True)
    command = "make torture SEED=%d%s%s" % (seed, " ONLY=" + only if only else "", " QUICK=1" if quick else "")
    if only is None:
        total = "# all of it: %.0f s" % (time.monotonic() - begin)
        write_table("trust-torture.csv", command,
                    ["program", "seed", "rounds", "seconds", "peak", "verdict"], rows, [total])
    if only in (None, "each_call"):
        write_faults(faults, command)
    print("torture: seed %d, %.0f s" % (seed, time.monotonic() - begin))
    print("%(passed)d passed, %(failed)d failed, %(skipped)d skipped" % count)
    return count["failed"] == 0


# ---- fragmentation ---------------------------------------------------------------------

def fragmentation():
    program = os.path.join(TOP, OUT, "fragmentation")
    build("tests/stress/fragmentation.c", program)
    rows = []
    for name, path in peers_here():
        environment = dict(os.environ, SEED="1", FRAGMENTATION_TABLE="1")
        environment.pop("LD_PRELOAD", None)
        if path:
            environment["LD_PRELOAD"] = path
        got = subprocess.run([program], capture_output=True, text=True, env=environment, timeout=LIMIT)
        fields = dict(re.findall(r"(\w+)=([\d.]+)", got.stdout))
        if got.returncode != 0 or len(fields) < 3:
            sys.exit("torture: fragmentation under %s: %s%s" % (name, got.stdout, got.stderr))
        rows.append([name, int(fields["live"]) // 1024, int(fields["resident"]) // 1024,
                     fields["shift"], fields["comb"]])
    more = ["# %s %s" % (n, version(p)) for n, _, p in PEERS if p]
    write_table("trust-fragmentation.csv", "make trust-fragmentation",
                ["allocator", "live", "resident", "shift", "comb"], rows, more)


# ---- counts ------------------------------------------------------------------------------

def counts():
    def files(pattern):
        return sorted(glob.glob(pattern))

    def grep(pattern, names):
        return sum(len(re.findall(pattern, open(n, errors="replace").read(), re.M)) for n in names)

    unit, api = files("tests/unit/*.c"), files("tests/api/*.c") + files("tests/api/*.cc")
    rows = [
        ["unit", len(unit), grep(r"^START_TEST", unit), "a room's laws with the rooms below it"],
        ["api", len(api), grep(r"^START_TEST", api), "what the standards promise"],
        ["model", len(files("tests/model/*.c")), "-", "random calls against a plain table"],
        ["abuse", len(files("tests/abuse/*.c")), grep(r"^/\* expect:", files("tests/abuse/*.c")),
         "one misuse each and its exact message"],
        ["stress", len(files("tests/stress/*.c")), "-", "threads and forks and signals and limits"],
        ["faults", len(files("tests/faults/*.c")), "-", "refusals by the system"],
        ["programs", len(files("tests/programs/*.sh")), "-", "real programs with and without us"],
    ]
    rooms = files("tangled/*.c") + files("tangled/*.h")
    rows.append(["assert", len(rooms), grep(r"\bassert\(", rooms), "in the debug build"])
    rows.append(["static_assert", len(rooms), grep(r"\bstatic_assert\(", rooms), "in every build"])
    write_table("trust-counts.csv", "make trust-counts", ["kind", "files", "checks", "what"], rows)


def main():
    os.chdir(TOP)
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fragmentation", action="store_true")
    parser.add_argument("--counts", action="store_true")
    options = parser.parse_args()
    if options.fragmentation:
        fragmentation()
    elif options.counts:
        counts()
    else:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        sys.exit(0 if torture(options.seed, options.only, options.quick) else 1)


if __name__ == "__main__":
    main()
