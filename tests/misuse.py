#!/usr/bin/env python3
"""make misuse: what becomes of a program that misuses malloc, under us and under others.

Runs tests/misuse.c, one process a kind and an allocator, and judges by running:

  at once   a message before the misuse returned
  later     a message, but after that, and before any harm was seen
  late      a message, after the heap had done the harm of the next row
  crash     death without a word
  hang      no end within 20 seconds
  corrupt   no word, and then the heap gave one block to two owners, a block where no
            heap is, or changed the bytes of a live one
  nothing   no word, and no harm seen

Writes figures/data/trust-misuse.csv."""

import os
import re
import resource
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import torture                                              # noqa: E402

SECONDS = 20


def judge(program, kind, library, conf):
    environment = {k: v for k, v in os.environ.items() if k != "LD_PRELOAD"}
    environment["LITMALLOC_CONF"] = conf
    if library:
        environment["LD_PRELOAD"] = library
    try:
        got = subprocess.run([program, kind], env=environment, stdin=subprocess.DEVNULL,
                             stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS)
        text, status = got.stderr.decode(errors="replace"), got.returncode
    except subprocess.TimeoutExpired as hung:
        text, status = (hung.stderr or b"").decode(errors="replace"), None
    before, _, rest = text.partition("@before\n")
    at_once, after, later = rest.partition("@after\n")
    unharmed, harm, late = later.partition("@harm ")
    later, late = unharmed.replace("@end\n", ""), re.sub(r"^.*\n|@end\n", "", late)
    if "unknown" in before or "ignored" in before:
        return "", text                                     # no such option
    if at_once.strip():
        return "at once", text
    if later.strip():
        return "later", text
    if late.strip():
        return "late", text
    if status is None:
        return "hang", text
    if status != 0 and not harm:
        return "crash", text
    return ("corrupt" if harm else "nothing"), text


def has_option(program, library, conf):
    """Does the library know the option?  It says so if it does not."""
    environment = dict(os.environ, LITMALLOC_CONF=conf, LD_PRELOAD=library)
    got = subprocess.run([program], env=environment, capture_output=True, text=True)
    return got.stderr == ""


def main():
    os.chdir(torture.TOP)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    program = os.path.join(torture.TOP, torture.OUT, "misuse")
    torture.build("tests/misuse.c", program, ["-O0", "-Wl,--no-as-needed", "-l:libstdc++.so.6"])
    columns = [(name, path, "") for name, path in torture.peers_here()]
    columns.insert(1, ("hardened", torture.LIB, "harden:true"))
    columns.insert(2, ("sampled", torture.LIB, "sample:1,sample_slots:4096"))
    hardens = has_option(program, torture.LIB, "harden:true")
    kinds = subprocess.run([program], capture_output=True, text=True, check=True).stdout.split()
    rows, log = [], open(os.path.join(torture.OUT, "misuse.log"), "w")
    for kind in kinds:
        row = [kind.replace("_", " ")]
        for name, path, conf in columns:
            if conf and not hardens:
                row.append("")
                continue
            verdict, text = judge(program, kind, path, conf)
            row.append(verdict)
            print("---- %s under %s: %s\n%s" % (kind, name, verdict, text), file=log)
        rows.append(row)
        print("%-28s %s" % (row[0], " ".join("%-8s" % r for r in row[1:])), flush=True)
    totals = []
    for verdict in "at once", "later", "late", "crash", "hang", "corrupt", "nothing":
        totals.append([verdict] + [sum(r[i + 1] == verdict for r in rows) for i in range(len(columns))])
    more = ["# %s %s" % (n, torture.version(p)) for n, _, p in torture.PEERS if p]
    names = [name for name, _, _ in columns]
    torture.write_table("trust-misuse.csv", "make misuse", ["kind"] + names, rows, more)
    torture.write_table("trust-misuse-totals.csv", "make misuse", ["verdict"] + names, totals, more)


main()
