#!/usr/bin/env python3
"""prove.py -- run every proof of tests/prove and its negative controls.

  prove.py [--quick] [--csv FILE] [--only NAME,...] [--jobs N]

A proof is a file of this folder: a C program, a Python program, a spin model.  Its head
says what it proves, in lines "key: value":

  prove     its name; begins the head of one proof (a file may hold several)
  property  what holds, in words          room    whose code it is about
  method    how                           bound   the space that is gone through
  geometry  FILE | SED                    a change to the copy of tangled/ for the proof
  control   FILE | SED | in words         a fault; the same proof must find it

Each proof runs on its own copy of tangled/ in build/prove/NAME/code; a sed script has to
change one line of it, or two if it moves one (FILE "model" is the spin model).  In a model the
text behind "code: FILE:" must stand in that file of tangled/, blanks aside, or the
model is stale and the proof fails.

A program that ends with "cases N" or "states N" and status 0 has proved; one that prints
"violated: ..." and ends with status 1 has found a fault; everything else is broken, and
counts neither as a proof nor as a control found.
"""
import argparse, concurrent.futures, csv, datetime, os, platform, re, shutil
import subprocess, sys, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
OUT = os.path.join(ROOT, "build", "prove")
KEY = re.compile(r"^[\s/*#]*(prove|property|room|method|bound|geometry|control): (.*?)\s*(?:\*/)?$")
CODE = re.compile(r"code: ([a-z]+\.[ch]): (.*?)\s*\*/")
TIMEOUT = 300


class Broken(Exception):
    """A proof that could not be carried out."""


def read_heads():
    proofs = []
    for name in sorted(os.listdir(HERE)):
        if not name.endswith((".c", ".py", ".pml")) or name == "prove.py":
            continue
        with open(os.path.join(HERE, name), encoding="utf-8") as f:
            for line in f:
                m = KEY.match(line)
                if not m:
                    continue
                key, value = m.groups()
                if key == "prove":
                    proofs.append({"prove": value, "file": name, "geometry": [], "control": []})
                elif key in ("geometry", "control"):
                    proofs[-1][key].append([p.strip() for p in value.split(" | ")])
                else:
                    proofs[-1][key] = value
    for p in proofs:
        missing = [k for k in ("property", "room", "method", "bound") if k not in p]
        if missing or not p["control"]:
            sys.exit(f"prove: {p['file']}: {p['prove']} has no {' '.join(missing) or 'control'}")
    return proofs


def change(path, script):
    """Apply a sed script that must change one line, or two (a line moved)."""
    with open(path, encoding="utf-8") as f:
        before = f.read().split("\n")
    after = subprocess.run(["sed", "-E", script, path], capture_output=True, text=True,
                           timeout=10, check=False)
    if after.returncode != 0:
        raise Broken(f"sed: {after.stderr.strip()}")
    lines = after.stdout.split("\n")
    if len(lines) != len(before) or sum(a != b for a, b in zip(before, lines)) not in (1, 2):
        raise Broken(f"'{script}' does not change one line or two of {os.path.basename(path)}")
    with open(path, "w", encoding="utf-8") as f:
        f.write(after.stdout)


def call(command, folder, log):
    with open(log, "a", encoding="utf-8") as f:
        f.write("$ " + " ".join(command) + "\n")
        f.flush()
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True,
                                  timeout=TIMEOUT, check=False)
        except subprocess.TimeoutExpired as e:
            raise Broken(f"no answer within {TIMEOUT} s; see {log}") from e
        f.write(done.stdout[-20000:] + done.stderr[-20000:])
    return done


def compile_c(command, folder, log):
    done = call(command, folder, log)
    if done.returncode != 0:
        raise Broken(f"does not compile; see {log}")


def check_quotes(model, code):
    """What a model says it mirrors must stand in the code."""
    with open(model, encoding="utf-8") as f:
        quotes = CODE.findall(f.read())
    if not quotes:
        raise Broken("the model quotes no code")
    for name, text in quotes:
        with open(os.path.join(code, name), encoding="utf-8") as f:
            squeezed = re.sub(r"\s+", "", f.read())
        if re.sub(r"\s+", "", text) not in squeezed:
            raise Broken(f"stale model: {name} has no '{text}'")


def run(proof, control, quick):
    """Carry out one proof, with a fault if control is given: (found, states, text)."""
    label = proof["prove"] + ("" if control is None else f"-control-{control + 1}")
    folder = os.path.join(OUT, label)
    shutil.rmtree(folder, ignore_errors=True)
    code = os.path.join(folder, "code")
    shutil.copytree(os.path.join(ROOT, "tangled"), code)
    log = os.path.join(folder, "log")
    source = os.path.join(HERE, proof["file"])
    model = os.path.join(folder, "model.pml")
    if source.endswith(".pml"):
        check_quotes(source, code)
        shutil.copy(source, model)
    edits = [tuple(g) for g in proof["geometry"]]
    if control is not None:
        edits.append(tuple(proof["control"][control][:2]))
    for name, script in edits:
        change(model if name == "model" else os.path.join(code, name), script)
    fast = ["-DQUICK"] if quick else []
    if source.endswith(".c"):
        shutil.copy(source, os.path.join(folder, "proof.c"))    # away from namesakes of the rooms
        compile_c([os.environ.get("CC", "cc"), "-std=gnu17", "-O2", "-g", "-w", "-fno-builtin-malloc",
                   "-fno-pie", "-no-pie", "-Wl,-z,now", "-fno-stack-protector", "-DLIT_DEBUG=1", "-iquote", code,
                   "-iquote", HERE, "proof.c", "-o", "proof"] + fast, folder, log)
        done = call(["./proof", proof["prove"]], folder, log)
    elif source.endswith(".py"):
        done = call([sys.executable, source, proof["prove"], code] + fast, folder, log)
    else:
        done = run_spin(folder, fast, log)
    with open(os.path.join(folder, "out"), "w", encoding="utf-8") as f:
        f.write(done.stdout)
    wrong = re.search(r"^violated: (.*)$", done.stdout, re.M)
    right = re.search(r"^(?:cases|states) (\d+)$", done.stdout, re.M)
    if done.returncode == 1 and wrong:
        return True, 0, wrong.group(1)
    if done.returncode == 0 and right and not wrong:
        return False, int(right.group(1)), ""
    raise Broken(f"ended with status {done.returncode}; see {log}")


def run_spin(folder, fast, log):
    """Spin's verifier, told in the words of our own programs."""
    compile_c(["spin", "-a"] + fast + ["model.pml"], folder, log)
    compile_c([os.environ.get("CC", "cc"), "-O2", "-w", "-DSAFETY", "-DMEMLIM=1500", "-DCOLLAPSE",
               "-o", "pan", "pan.c"], folder, log)
    done = call(["./pan", "-m200000"], folder, log)
    text = done.stdout
    errors = re.search(r"errors: (\d+)", text)
    states = re.search(r"(\d+) states, stored", text)
    if not errors or not states or "max search depth too small" in text or "out of memory" in text:
        raise Broken(f"spin did not finish; see {log}")
    if errors.group(1) != "0":
        trail = call(["spin", "-t", "-p", "-g", "model.pml"], folder, log)
        with open(os.path.join(folder, "trail"), "w", encoding="utf-8") as f:
            f.write(trail.stdout)
        said = re.search(r"^pan:\d+: (.*)$", text, re.M)
        done.stdout = "violated: " + (said.group(1) if said else "see trail") + "\n"
        done.returncode = 1
    else:
        done.stdout = f"states {states.group(1)}\n"
        done.returncode = 0
    return done


def prove(proof, quick):
    """The proof and its controls: rows of the table, and lines for the terminal."""
    rows, lines = [], []
    began = time.time()
    try:
        found, states, text = run(proof, None, quick)
        verdict = "failed" if found else "proved"
    except Broken as e:
        states, text, verdict = 0, str(e), "failed"
    seconds = time.time() - began
    lines.append(f"{verdict:7} {proof['prove']:14} {states:>12,} {seconds:7.1f} s  "
                 f"{text or proof['property']}")
    for i, control in enumerate(proof["control"]):
        try:
            found, _, text = run(proof, i, quick)
            if not found:
                text = "the proof does not see it"
        except Broken as e:
            found, text = False, str(e)
        lines.append(f"{'  found' if found else '  MISSED':7} {'':14} {control[2]}: {text[:110]}")
        rows.append([proof["prove"] + (f"-{i + 1}" if i else ""), proof["property"], proof["room"],
                     proof["method"], proof["bound"], states, f"{seconds:.1f}", verdict,
                     control[2], "yes" if found else "no", text])
    return rows, lines


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--csv")
    parser.add_argument("--only", default="")
    parser.add_argument("--jobs", type=int, default=2)
    args = parser.parse_args()
    for tool, package in (("spin", "spin"), ("z3", "z3"), (os.environ.get("CC", "cc"), "gcc")):
        if not shutil.which(tool):
            sys.exit(f"prove: {tool} is missing; it comes with Debian's package {package}")
    proofs = read_heads()
    if args.only:
        chosen = args.only.split(",")
        unknown = set(chosen) - {p["prove"] for p in proofs}
        if unknown:
            sys.exit(f"prove: there is no proof {' '.join(sorted(unknown))}")
        proofs = [p for p in proofs if p["prove"] in chosen]
    began = time.time()
    rows = []
    with concurrent.futures.ThreadPoolExecutor(args.jobs) as pool:
        for made, lines in pool.map(lambda p: prove(p, args.quick), proofs):
            rows += made
            print("\n".join(lines), flush=True)
    proved = {r[0] for r in rows if r[7] == "proved" and not re.search(r"-\d+$", r[0])}
    found = sum(r[9] == "yes" for r in rows)
    failed = len(proofs) - len(proved)
    if args.csv:
        with open(args.csv, "w", encoding="utf-8", newline="") as f:
            f.write(f"# {datetime.date.today()}, {os.cpu_count()} x {cpu()}, "
                    f"{first_line(['cc', '--version'])}, {first_line(['spin', '-V'])}\n"
                    "# make prove\n")
            out = csv.writer(f, lineterminator="\n")
            out.writerow("name property room method bound states seconds verdict control found "
                         "how".split())
            for row in rows:
                out.writerow([str(x).replace(",", ";").replace('"', "'") for x in row])
            out.writerow(["all", "", "", "", "", sum(r[5] for r in rows if "-" not in r[0]
                                                    or not re.search(r"-\d+$", r[0])),
                          f"{time.time() - began:.0f}", len(proved), len(rows), found, ""])
        save_details(os.path.dirname(args.csv))
        save_table(os.path.dirname(args.csv))
    print(f"{time.time() - began:.0f} s")
    print(f"{len(proved)} proved, {failed} failed, {found} controls found"
          + (f", {len(rows) - found} NOT found" if found < len(rows) else ""))
    sys.exit(0 if failed == 0 and found == len(rows) else 1)


def save_details(folder):
    """What two figures are drawn from: the page heap's states by depth, and how the fault
    of the mutex was found."""
    def out(name):
        with open(os.path.join(OUT, name, "out"), encoding="utf-8") as f:
            return f.read()
    head = f"# {datetime.date.today()}, make prove\n"
    with open(os.path.join(folder, "proof-levels.csv"), "w", encoding="utf-8") as f:
        f.write(head + "depth,states\n")
        f.writelines(f"{d},{n}\n" for d, n in re.findall(r"^level (\d+) (\d+)$", out("pageheap"), re.M))
    with open(os.path.join(folder, "proof-trace.csv"), "w", encoding="utf-8") as f:
        f.write(head + "step,thread,at\n")
        steps = re.findall(r"^step (\d+): thread (\d+): (.*)$", out("mutex-control-1"), re.M)
        f.writelines(",".join(s) + "\n" for s in steps[-10:])


def save_table(folder):
    """The table with one row a proof, from the one with a row a control."""
    with open(os.path.join(folder, "proof-results.csv"), encoding="utf-8") as f:
        head = [f.readline(), f.readline()]
        rows = list(csv.DictReader(f))
    table = {}
    for row in rows[:-1]:
        name = re.sub(r"-\d+$", "", row["name"])
        kept = table.setdefault(name, [name, row["room"], row["states"], row["seconds"], row["verdict"], 0, 0])
        kept[5] += row["found"] == "yes"
        kept[6] += 1
    with open(os.path.join(folder, "proof-table.csv"), "w", encoding="utf-8") as f:
        f.writelines(head)
        f.write("name,room,states,seconds,verdict,controls\n")
        f.writelines(",".join(kept[:5]) + f",{kept[5]} of {kept[6]}\n" for kept in table.values())


def cpu():
    with open("/proc/cpuinfo", encoding="utf-8") as f:
        m = re.search(r"model name\s*: (.*)", f.read())
    return m.group(1) if m else platform.machine()


def first_line(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip().split("\n")[0].replace(",", "")


if __name__ == "__main__":
    main()
