#!/usr/bin/env python3
"""table.py -- the side-by-side table: workloads and whole programs, one allocator
beside the other, turn by turn; medians, spread, memory, faults, system calls.

    table.py [--rounds 5] [--rows "larson xmalloc"] [--quick] [--data figures/data] [name=/path/lib.so ...]
    table.py --threads ...      the sweep over 1 to 16 threads instead; where no block changes hands, also over as many
                                processes of one thread as there are processors

Every run is a process of its own.  In each round every allocator runs every row once, in
turn, so that a slow minute of the machine hits all of them.  `make bench` calls it."""

import argparse
import concurrent.futures
import os
import random
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile

import peers
import programs

WORKLOADS = [
    ("malloc-test", 1), ("malloc-test", 2), ("threadtest", 1), ("threadtest", 2), ("larson", 1), ("larson", 2),
    ("xmalloc", 2), ("xmalloc", 4), ("cache-scratch", 2), ("cache-thrash", 2), ("sh6bench", 1), ("sh6bench", 2),
    ("sh8bench", 2), ("mstress", 2), ("mstress", 4), ("rptest", 1), ("rptest", 2), ("churn", 1), ("churn", 4),
    ("cfrac", 1), ("trees", 1), ("graph", 1), ("strings", 1), ("vector", 1), ("vectors", 1), ("large", 1),
    ("calloc", 1), ("aligned", 1), ("lifo", 1), ("fifo", 1), ("shuffled", 1), ("heap", 1), ("burst", 1),
]
SWEEP = ["malloc-test", "threadtest", "larson", "xmalloc", "sh8bench", "mstress", "churn"]
LOCAL = ["malloc-test", "threadtest", "churn"]      # no block changes hands
THREADS = [1, 2, 4, 8, 16]
MIB = 1024


SEVERAL = ["redis"]                                 # programs of more than one thread


class Row:
    def __init__(self, name, command, more=None, program=False, cpu=None, copies=1):
        self.name, self.command, self.more, self.program = name, command, more or {}, program
        self.cpu, self.copies = cpu, copies


def workload_row(name, threads):
    label = name if threads == 1 else f"{name} x{threads}"
    return Row(label, ["build/bench/workloads", name, str(threads)], cpu=peers.ONE_CPU if threads == 1 else None)


def processes_row(name):
    """The control of the rows of LOCAL: a process of one thread on each processor, all started at once; each does all
    the work of workload_row(name, 1).  They share the machine and nothing else."""
    copies = min(os.cpu_count(), max(THREADS))
    return Row(f"{name} in {copies} processes", ["build/bench/workloads", name, "1"], copies=copies)


def sweep_rows(name):
    """One thread, the control and as many threads as processors follow each other: they are compared."""
    rows = [workload_row(name, t) for t in THREADS]
    return rows[:1] + [processes_row(name)] + rows[1:] if name in LOCAL else rows


def program_rows(found):
    """Of programs.programs: on one processor, if they have one thread."""
    return [Row(n, c, e, True, None if n in SEVERAL else peers.ONE_CPU) for n, c, e in found]


def chosen(rows, wanted):
    """The rows named: a whole label, or all with that first word."""
    if not wanted:
        return rows
    names = wanted.split()
    for n in names:
        if not any(n in (r.name, r.name.split()[0]) for r in rows):
            sys.exit(f"bench: no row is called {n}; there are: " + " ".join(dict.fromkeys(r.name.split()[0] for r in rows)))
    return [r for r in rows if r.name in names or r.name.split()[0] in names]


# ---- measuring ------------------------------------------------------------------------

SPREAD = 0.1                # between the quartiles of a row's times, of their median
FURTHER = 6                 # rounds at most for rows that spread more


def spreads(costs, libraries, name):
    """Are the times of this row too far apart, ours or those of one of the two fastest, to say who is ahead?"""
    walls = {n: [c.wall for c in costs[name, n]] for n in libraries}
    fastest = sorted(walls, key=lambda n: statistics.median(walls[n]))[:2]
    for n in {"litmalloc", *fastest}:
        low, middle, high = statistics.quantiles(walls[n], n=4)
        if high - low > SPREAD * middle:
            return True
    return False


def measure(rows, libraries, rounds, keep=None):
    """{(row, allocator): [Cost, ...]}, the first round thrown away (unless it is the only one wanted).  After five rounds
    or more, rows that spread get further ones, whoever is ahead in them.  A signal ends it after the last complete
    round.  `keep` is given what there is after every round."""
    costs, order, dice = {}, list(libraries), random.Random(2006)

    def run(wanted, what):
        current = {}
        for number, row in enumerate(wanted):
            peers.progress(f"{what}, row {number + 1} of {len(wanted)}, {row.name}")
            # Nobody is always first, or always behind the same.
            for name in dice.sample(order, len(order)):
                current[row.name, name] = peers.run(row.command, libraries[name], row.more, row.cpu, row.copies)
        return current

    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        for r in range(rounds + 1):
            current = run(rows, f"round {r} of {rounds}{' (to warm up)' if r == 0 else ''}")
            if r > 0 or rounds == 0:
                for k, cost in current.items():
                    costs.setdefault(k, []).append(cost)
                if keep:
                    keep(costs)
        for r in range(1, (FURTHER if rounds >= 5 else 0) + 1):
            again = [row for row in rows if spreads(costs, libraries, row.name)]
            if not again:
                break
            for k, cost in run(again, f"further round {r} of at most {FURTHER}").items():
                costs[k].append(cost)
            if keep:
                keep(costs)
    except KeyboardInterrupt:
        print("\nbench: stopped early", file=sys.stderr)
    if not costs:
        sys.exit("bench: not one round is complete")
    print(f"\r{rounds_of(costs)} rounds{'':70}", file=sys.stderr)
    return costs


def rounds_of(costs):
    """How many rounds the rows have had: "5", or "5 to 11" if some spread."""
    n = [len(c) for c in costs.values()]
    return str(min(n)) if min(n) == max(n) else f"{min(n)} to {max(n)}"


class Result:
    """What all rounds of one row under one allocator say."""

    def __init__(self, costs):
        walls = sorted(c.wall for c in costs)
        self.wall, self.low, self.high, self.rounds = statistics.median(walls), walls[0], walls[-1], len(walls)
        self.cpu = statistics.median(c.cpu for c in costs)
        self.peak = statistics.median(c.peak for c in costs)
        self.faults = statistics.median(c.faults for c in costs)
        self.exceptions = statistics.median(c.exceptions for c in costs)
        self.after = self.live = self.grown = self.peak_live = self.calls = None

    @property
    def spread(self):
        return (self.high - self.low) / self.wall


def preloaded(command, library):
    return ["env", f"LD_PRELOAD={library}", *command] if library else command


def quiet_after(row, name, library):
    """Resident KiB before the load, at its end, and a second later; live KiB then and at the peak."""
    more = {**row.more, **peers.SOON.get(name, {}), "AFTER": "1"}
    p = subprocess.run(preloaded(row.command, library), env=peers.environment(more), capture_output=True, text=True,
                       timeout=120)
    if p.returncode != 0:
        raise ValueError(f"{row.name} failed under {name}: {p.stderr[-300:]}")
    return [int(x) for x in p.stdout.split()]


def system_calls(row, name, library):
    """How many system calls one run makes, threads and children included."""
    with tempfile.NamedTemporaryFile() as out:
        command = ["strace", "-f", "-c", "-qq", "-o", out.name, *preloaded(row.command, library)]
        more = {**row.more, "BENCH_LIBRARY": library or ""}
        # A session of its own: what is killed late takes its children along, a server among them.
        p = subprocess.Popen(command, env=peers.environment(more), stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, start_new_session=True)
        try:
            p.wait(timeout=30)
        except subprocess.TimeoutExpired:
            return None                 # a server under strace may not get done
        finally:
            if p.poll() is None:
                os.killpg(p.pid, signal.SIGKILL)
                p.wait()
        total = re.search(rb"^ *100\.00 +[\d.]+ +\d+ +(\d+) .*total$", open(out.name, "rb").read(), re.M)
    return int(total.group(1)) if total else None


def quiet_passes(rows, libraries, results):
    """The two passes that are not timed, two at a time."""
    strace = shutil.which("strace")
    if not strace:
        print("bench: system calls are left out: strace is missing (Debian package strace)", file=sys.stderr)
    jobs = [(r, n) for r in rows for n in libraries]

    def one(job):
        row, name = job
        result = results[row.name, name]
        if not row.program:
            try:
                before, _, after, live, peak_live = quiet_after(row, name, libraries[name])
                result.after, result.live, result.peak_live = after - before, live, peak_live
                result.grown = result.peak - before
            except (ValueError, subprocess.TimeoutExpired) as e:    # the times are not lost for it
                print(f"\nbench: memory after the load is left out: {e}", file=sys.stderr)
        if strace:
            result.calls = system_calls(row, name, libraries[name])
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        try:
            for number, _ in enumerate(pool.map(one, jobs)):
                peers.progress(f"memory after the load and system calls, {number + 1} of {len(jobs)}")
        except KeyboardInterrupt:
            print("\nbench: stopped early; what was not reached is left out", file=sys.stderr)
            pool.shutdown(cancel_futures=True)
    print(f"\r{'':78}", file=sys.stderr)


# ---- what it says -----------------------------------------------------------------------

def print_table(title, rows, libraries, value, form="{:.2f}"):
    print(f"\n{title}")
    width = max(9, *(len(n) for n in libraries)) + 2
    label = max(16, *(len(r.name) for r in rows))
    print(f"{'':{label}}" + "".join(f"{n:>{width}}" for n in libraries))
    for row in rows:
        cells = [value(row.name, n) for n in libraries]
        if all(c is None for c in cells):
            continue
        known = [c for c in cells if c is not None]
        print(f"{row.name:{label}}" + "".join(
            f"{('-' if c is None else form.format(c) + ('*' if c == min(known) else ' ')):>{width}}" for c in cells))


def ratios(rows, results, name, against, column):
    """That column of `name` divided by that of `against` (the row's best: None), a row each."""
    for row in rows:
        mine = getattr(results[row.name, name], column)
        other = (getattr(results[row.name, against], column) if against
                 else min(getattr(v, column) for (r, _), v in results.items() if r == row.name))
        yield row.name, max(mine, 1e-9) / max(other, 1e-9)


def geometric(rows, results, name, against, column):
    return peers.mean(r for _, r in ratios(rows, results, name, against, column))


class Bars:
    """Each aim of the project: what it is, what was measured, whether it is met."""

    def __init__(self):
        self.rows = []

    def add(self, bar, value, limit, most=True, what=""):
        met = value <= limit if most else value >= limit
        self.rows.append([bar, f"{value:.3f}", ("<= " if most else ">= ") + f"{limit:g}", "met" if met else "missed", what])

    def show(self):
        print(f"\n{'bar':58}{'measured':>9}{'limit':>10}")
        for bar, value, limit, met, what in self.rows:
            print(f"{bar:58}{value:>9}{limit:>10}  {met}{'  ' + what if what else ''}")
        print(f"{sum(r[3] == 'met' for r in self.rows)} of {len(self.rows)} bars met")


def judge(rows, libraries, results, quiet):
    bars = Bars()
    packaged = [n for n in libraries if n in peers.PACKAGED or n == "glibc"]
    work = [r for r in rows if not r.program]
    whole = [r for r in rows if r.program]
    for group, title in ((work, "workloads"), (whole, "programs")):
        if group:
            means = {n: geometric(group, results, "litmalloc", n, "wall") for n in packaged}
            best = max(means, key=means.get)
            if group is work:
                bars.add(f"{title}: mean time against the best peer", means[best], 0.85, what=best)
            else:
                bars.add(f"{title}: mean time against the best peer", means[best], 1.0, what=best)
    for group, limit, title in ((work, 1.05, "workloads: the worst row"), (whole, 1.02, "programs: the worst")):
        if group:
            worst = {r.name: results[r.name, "litmalloc"].wall / min(results[r.name, n].wall for n in packaged) for r in group}
            row = max(worst, key=worst.get)
            above = [f"{r} {v:.2f}" for r, v in sorted(worst.items(), key=lambda x: -x[1]) if v > limit]
            bars.add(f"{title} against its best peer", worst[row], limit, what=", ".join(above) or row)
    big = [r for r in whole if results[r.name, "glibc"].peak >= 20 * MIB]
    if big:
        if results[big[0].name, "glibc"].exceptions > 0:
            x = {r.name: results[r.name, "litmalloc"].exceptions / results[r.name, "glibc"].exceptions for r in big}
            bars.add("programs of 20 MiB: times stopped by a fault, the worst row", max(x.values()), 0.2, what=max(x, key=x.get))
        f = {r.name: results[r.name, "litmalloc"].faults / results[r.name, "glibc"].faults for r in big}
        p = {r.name: results[r.name, "litmalloc"].peak / results[r.name, "glibc"].peak for r in big}
        bars.add("programs of 20 MiB: faults against glibc, the worst row", max(f.values()), 0.2, what=max(f, key=f.get))
        bars.add("programs of 20 MiB: peak against glibc, the worst row", max(p.values()), 1.15, what=max(p, key=p.get))
    for rival in [n for n in packaged if n not in ("glibc", "tbbmalloc")]:
        bars.add(f"peak resident, mean against {rival}", geometric(rows, results, "litmalloc", rival, "peak"), 1.0)
    bars.add("peak resident, mean against glibc", geometric(rows, results, "litmalloc", "glibc", "peak"), 1.10)
    if quiet:
        for r in work:
            x = results[r.name, "litmalloc"]
            if x.after is None:
                continue
            if x.live:
                bars.add(f"{r.name}: resident a second later / (1.1 live + 4 MiB)", x.after / (1.1 * x.live + 4 * MIB), 1.0)
            if x.peak_live:
                bars.add(f"{r.name}: blow-up, grown / live at the peak", x.grown / x.peak_live, 1.5)
    return bars


def losses(rows, libraries, table):
    """Each row against its best packaged peer, the worst for us first."""
    found = []
    for r in rows:
        ours = table[r.name, "litmalloc"]
        peer = min((n for n in libraries if n in peers.PACKAGED or n == "glibc"), key=lambda n: table[r.name, n].wall)
        best = table[r.name, peer]
        found.append([r.name, f"{1000 * ours.wall:.0f}", f"{1000 * best.wall:.0f}", peer, f"{ours.wall / best.wall:.2f}",
                      f"{ours.faults:.0f}", f"{best.faults:.0f}"])
    return sorted(found, key=lambda x: -float(x[4]))


def save(folder, rows, libraries, results, bars, command):
    def path(name):
        return os.path.join(folder, name)
    remark = f"{command}; medians; interleaved rounds: {rounds_of(results['costs'])}"
    table = results["table"]
    head = ["row", "allocator", "wall", "low", "high", "cpu", "peak_kib", "faults", "exceptions", "after_kib", "calls", "rounds"]
    peers.write_csv(path("bench.csv"), head, [
        [r.name, n, f"{x.wall:.4f}", f"{x.low:.4f}", f"{x.high:.4f}", f"{x.cpu:.4f}", int(x.peak), int(x.faults), int(x.exceptions),
         "" if x.after is None else x.after, "" if x.calls is None else x.calls, x.rounds]
        for r in rows for n in libraries for x in [table[r.name, n]]], remark, libraries)
    for name, column, unit, form in (("time", "wall", 0.001, "{:.0f}"), ("peak", "peak", MIB, "{:.1f}"),
                                     ("faults", "faults", 1000, "{:.2f}"), ("exceptions", "exceptions", 1000, "{:.2f}")):
        for group, suffix in (([r for r in rows if not r.program], ""), ([r for r in rows if r.program], "-programs")):
            peers.write_csv(path(f"bench-{name}{suffix}.csv"), ["row", *libraries], [
                [r.name, *(form.format(getattr(table[r.name, n], column) / unit) for n in libraries)] for r in group],
                remark + {"time": "; ms", "peak": "; MiB", "faults": "; thousands", "exceptions": "; thousands of faults that stopped the program"}[name], libraries)
    means = []
    for n in libraries:
        m = [n]
        for group in ([r for r in rows if not r.program], [r for r in rows if r.program]):
            for column in ("wall", "peak", "faults"):
                m.append(f"{geometric(group, table, n, None, column):.3f}" if group else "")
                m.append(f"{geometric(group, table, n, 'glibc', column):.3f}" if group else "")
        means.append(m)
    heads = [f"{g}{c}_{a}" for g in ("", "program_") for c in ("time", "peak", "faults") for a in ("best", "glibc")]
    peers.write_csv(path("bench-mean.csv"), ["allocator", *heads], means,
                    remark + "; geometric means against the best of each row, and against glibc", libraries)
    peers.write_csv(path("bench-losses.csv"), ["row", "ours", "best", "peer", "ratio", "faults", "peer_faults"],
                    losses(rows, libraries, table)[:8], remark + "; ms; the rows in which we stand worst", libraries)
    peers.write_csv(path("bench-bars.csv"), ["bar", "measured", "limit", "met", "what"], bars.rows, remark, libraries)


def judge_threads(names, libraries, wall):
    """How well the processors are used, and by the peer that is fastest with so many threads.  And, by the bar, the same
    figure of the control: n threads do one thread's work, and their speed-up per processor is the time of one over n
    times theirs; n processes do it n times, and theirs is the time of one alone over that of all together."""
    cores = os.cpu_count()
    bars, processes = Bars(), {}

    def add(bar, name, before, threads, ideal):
        def share(library):
            return wall(workload_row(name, before), library) / wall(workload_row(name, threads), library) / ideal
        peer = min((n for n in libraries if n != "litmalloc"), key=lambda n: wall(workload_row(name, threads), n))
        bars.add(f"{name}: {bar}", share("litmalloc"), 0.95, most=False, what=f"{peer} {share(peer):.2f}")
    for name in names:
        if name in LOCAL:
            add(f"{cores} threads, speed-up per processor", name, 1, min(cores, 16), cores)
            processes[bars.rows[-1][0]] = wall(workload_row(name, 1), "litmalloc") / wall(processes_row(name), "litmalloc")
        add(f"16 threads against {cores}, share of the speed kept", name, min(cores, 16), 16, 1)
    return bars, processes


def sweep(libraries, rounds, wanted, folder):
    """Time by the number of threads, and how well the processors were used."""
    rows = chosen([r for n in SWEEP for r in sweep_rows(n)], wanted)
    costs = measure(rows, libraries, rounds)
    table = {k: Result(v) for k, v in costs.items()}
    print_table("wall seconds; threads divide the work, processes each do all of it", rows, libraries, lambda r, n: table[r, n].wall, "{:.3f}")
    bars, processes = judge_threads([n for n in SWEEP if any(r.name.split()[0] == n for r in rows)], libraries,
                                    lambda row, library: table[row.name, library].wall)
    bars.show()
    for bar, share in processes.items():
        print(f"with processes instead of threads, {bar}: {share:.3f}")
    if folder:
        remark = f"make bench-threads; medians; interleaved rounds: {rounds_of(costs)}; seconds"
        # The control comes last and is no workload: the figure draws a line through the rows of each.
        peers.write_csv(os.path.join(folder, "bench-threads.csv"), ["row", "workload", "threads", *libraries], [
            [r.name, r.command[1] if r.copies == 1 else r.name, r.command[2], *(f"{table[r.name, n].wall:.4f}" for n in libraries)]
            for r in sorted(rows, key=lambda r: r.copies)], remark, libraries)
        peers.write_csv(os.path.join(folder, "bench-threads-bars.csv"), ["bar", "measured", "limit", "met", "fastest_peer", "processes"],
                        [[*b, f"{processes[b[0]]:.3f}" if b[0] in processes else ""] for b in bars.rows],
                        remark + "; processes: measured with processes of one thread instead of threads", libraries)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--library", default="build/liblitmalloc.so")
    p.add_argument("--rounds", type=int)
    p.add_argument("--rows", default="")
    p.add_argument("--data", help="write the CSV files of the book there")
    p.add_argument("--quick", action="store_true", help="two rounds, and only what is timed")
    p.add_argument("--threads", action="store_true")
    p.add_argument("--command", default="make bench")
    p.add_argument("peers", nargs="*", help="name=/path/lib.so")
    a = p.parse_args()
    libraries = peers.find(a.library, a.peers)
    if a.rounds is None:
        a.rounds = 2 if a.quick else 5
    if a.threads:
        return sweep(libraries, a.rounds, a.rows, a.data)
    with tempfile.TemporaryDirectory() as folder:
        whole, missing = programs.programs(folder)
        for package in missing:
            print(f"bench: a row is left out: Debian's package {package} is missing", file=sys.stderr)
        rows = [workload_row(n, t) for n, t in WORKLOADS] + program_rows(whole)
        rows = chosen(rows, a.rows)

        def keep(costs):
            if a.data and not a.rows:
                table = {k: Result(v) for k, v in costs.items()}
                save(a.data, rows, libraries, {"costs": costs, "table": table}, judge(rows, libraries, table, False), a.command)
        costs = measure(rows, libraries, a.rounds, keep)
        table = {k: Result(v) for k, v in costs.items()}
        if not a.quick:
            quiet_passes(rows, libraries, table)
    print(peers.machine() + "\n" + peers.versions(libraries))
    print_table("wall seconds (* the best)", rows, libraries, lambda r, n: table[r, n].wall, "{:.3f}")
    print_table("user and system seconds", rows, libraries, lambda r, n: table[r, n].cpu, "{:.3f}")
    print_table("spread: (slowest - fastest) / median", rows, libraries, lambda r, n: table[r, n].spread)
    print_table("peak resident, MiB", rows, libraries, lambda r, n: table[r, n].peak / MIB, "{:.1f}")
    print_table("page faults", rows, libraries, lambda r, n: table[r, n].faults, "{:.0f}")
    print_table("grown by, a second after the load, MiB", rows, libraries,
                lambda r, n: None if table[r, n].after is None else table[r, n].after / MIB, "{:.1f}")
    print_table("system calls", rows, libraries, lambda r, n: table[r, n].calls, "{:.0f}")
    print("\ngeometric mean of our time against each peer's, workloads and programs; of our peak")
    for n in [n for n in libraries if n != "litmalloc"]:
        cells = []
        for column in ("wall", "peak"):
            for group in ([r for r in rows if not r.program], [r for r in rows if r.program]):
                cells.append(f"{geometric(group, table, 'litmalloc', n, column):8.3f}" if group else f"{'-':>8}")
        print(f"{n:16}" + "".join(cells))
    bars = judge(rows, libraries, table, not a.quick)
    bars.show()
    if a.data and not a.rows:
        save(a.data, rows, libraries, {"costs": costs, "table": table}, bars, a.command)


if __name__ == "__main__":
    main()
