"""lint.py FILE.nw... -- what the source promises and a machine can check.

Each fault is one line, file:line: what, and what to do.  A word "warning" after the
place does not fail the run.  The order of the checks is that of the functions below.
"""
import os
import re
import shutil
import subprocess
import sys

NW = sys.argv[1:]
TANGLED = os.environ.get("TANGLED", "tangled")
MARKUP = os.path.join(os.environ.get("NOWEB_LIB", "/usr/lib/noweb"), "markup")
WARN_LINES, MOST_LINES, COLUMNS, PROSE = 24, 40, 80, 400
faults = warnings = 0


def fault(place, text):
    global faults
    faults += 1
    print(f"{place}: {text}")


def warn(place, text):
    global warnings
    warnings += 1
    print(f"{place}: warning: {text}")


class Chunk:
    def __init__(self, name, file, line):
        self.name, self.file, self.line = name, file, line
        self.lines, self.defs = [], []      # [(line number, text)], [(line number, name)]


def read_web():
    """Chunks, and prose as {file: [(line, text with code blanked)]}, quotes [(place, code)]."""
    chunks, prose, quotes = [], {}, []
    for file in NW:
        code, fence, yaml = None, False, False
        prose[file] = []
        for n, s in enumerate(open(file, encoding="utf-8"), 1):
            s = s.rstrip("\n")
            m = re.match(r"<<(.*)>>=\s*$", s)
            if m:
                code = Chunk(m.group(1), file, n)
                chunks.append(code)
                fence = False
            elif code and re.match(r"@ %def ", s):
                code.defs += [(n, w) for w in s.split()[2:]]
                code = None
            elif code and re.match(r"@( |$)", s):
                code = None
            elif code:
                code.lines.append((n, s))
            elif s == "---" and (n <= 3 or yaml):
                yaml = not yaml
            elif re.match(r"\s*(```|~~~)", s):
                fence = not fence
            elif not fence and not yaml:
                if re.match(r"@ %def ", s):
                    fault(f"{file}:{n}", "@ %def stands apart from its chunk; put it directly after the last line of code")
                for q in re.findall(r"\[\[(.*?)\]\](?!\])", s):
                    quotes.append((f"{file}:{n}", q, True))
                plain = re.sub(r"\[\[.*?\]\]+", " ", s)
                for q in re.findall(r"`([^`]+)`", plain):
                    quotes.append((f"{file}:{n}", q, False))
                prose[file].append((n, re.sub(r"`[^`]*`", " ", plain), s))
    return chunks, prose, quotes


# ---- the map -------------------------------------------------------------------------

def read_map():
    order = {}
    for l in open(os.path.join(os.path.dirname(__file__), "map.txt")):
        if l.strip() and not l.startswith("#"):
            order[l.split()[1]] = len(order)        # 0 is the top
    return order


def source_of(path, n, line):
    """Where a line of tangled/ comes from: look its text up in src.nw/."""
    for file in NW:
        for m, s in enumerate(open(file, encoding="utf-8"), 1):
            if s.strip() == line.strip():
                return f"{file}:{m} ({path}:{n})"
    return f"{path}:{n}"


def tangled_files(ends):
    return sorted(os.path.join(TANGLED, f) for f in os.listdir(TANGLED) if f.endswith(ends)) if os.path.isdir(TANGLED) else []


def tool_files(ends):
    """The programs in tangled/tools and the allocator in tangled/onelock: no rooms, so no map and
    no @ %def; the rest holds for them."""
    return sorted(os.path.join(TANGLED, folder, f)
                  for folder in ("onelock", "tools") if os.path.isdir(os.path.join(TANGLED, folder))
                  for f in os.listdir(os.path.join(TANGLED, folder)) if f.endswith(ends))


def check_map(order):
    for path in tangled_files((".c", ".h")):
        for n, s in enumerate(open(path, encoding="utf-8"), 1):
            if re.match(r'\s*#\s*include\s+"(tools|onelock)/', s):
                fault(source_of(path, n, s), "a room includes nothing of the tools, nor of onelock")
    for path in tool_files((".c", ".h")):
        for n, s in enumerate(open(path, encoding="utf-8"), 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', s)
            if m and not os.path.exists(os.path.join(os.path.dirname(path), m.group(1))):
                fault(source_of(path, n, s), f'a tool includes "{m.group(1)}", which is no tool; '
                      "what watches an allocator stands beside it, on none of its rooms")
    for path in tangled_files((".c", ".h")):
        room = re.sub(r"\.[ch]$", "", os.path.basename(path))
        if room == "litmalloc":
            continue
        if room not in order:
            fault(path, f"room {room} is not on the map; put it into book/map.txt at its storey")
            continue
        for n, s in enumerate(open(path, encoding="utf-8"), 1):
            m = re.match(r'\s*#\s*include\s+"([^"]+)"', s)
            if not m:
                continue
            other = re.sub(r"\.h$", "", m.group(1))
            if other in ("litmalloc", room):
                continue
            if other not in order:
                fault(source_of(path, n, s), f'"{m.group(1)}" is no room of book/map.txt')
            elif order[other] < order[room]:
                fault(source_of(path, n, s), f"{room} includes {other}, which is above it on the map; "
                      "move what it needs down, or pass it in")


# ---- chunks -----------------------------------------------------------------------------

def roots_of(chunks):
    """{chunk name: the file it ends up in}"""
    up = {}
    for c in chunks:
        for _, s in c.lines:
            m = re.match(r"\s*<<(.*)>>\s*$", s)
            if m:
                up[m.group(1)] = c.name
    found = {}
    for c in chunks:
        name, seen = c.name, set()
        while name in up and name not in seen:
            seen.add(name)
            name = up[name]
        found[c.name] = name
    return found


def check_chunks(chunks):
    roots, told = roots_of(chunks), set()
    for c in chunks:
        lines = [l for l in c.lines if l[1].strip()]
        what = f"chunk <<{c.name}>> has {len(lines)} lines"
        code = re.search(r"\.[ch]$", roots[c.name])
        if code and len(lines) > MOST_LINES:
            fault(f"{c.file}:{c.line}", f"{what}, at most {MOST_LINES}; give a part of it a name")
        elif code and len(lines) > WARN_LINES:
            warn(f"{c.file}:{c.line}", f"{what}; a thought has up to {WARN_LINES}")
        for n, s in c.lines:
            if len(s) > COLUMNS:
                told.add(s.strip())
                fault(f"{c.file}:{n}", f"{len(s)} columns, at most {COLUMNS}")
            if "\t" in s and code:
                fault(f"{c.file}:{n}", "a tab; use spaces")
        if len(c.name) > 72:
            warn(f"{c.file}:{c.line}", f"the name <<{c.name}>> is long; about 50 characters are read at once")
    for path in tangled_files((".c", ".h")) + tool_files((".c", ".h")):
        for n, s in enumerate(open(path, encoding="utf-8"), 1):
            s = s.rstrip("\n")
            if len(s) > COLUMNS and s.strip() not in told and not re.search(r"\.nw: .*\] \*/$|Tangled from|^\s*/\* .*\.$", s):
                fault(source_of(path, n, s), f"{len(s)} columns where it is used, at most {COLUMNS}")


# ---- names ---------------------------------------------------------------------------------

def ctags():
    """{name: (kind, path, line, is static)} of what tangled/*.[ch] define or declare."""
    files = tangled_files((".c", ".h")) + tool_files(".h")
    if not files:
        return {}
    if not shutil.which("ctags"):
        fault("lint", "ctags is missing; it comes with Debian's package universal-ctags")
        return {}
    out = subprocess.run(
        ["ctags", "-f", "-", "--languages=C", "--langmap=C:.c.h", "--kinds-C=defgpstuxvl",
         "--fields=+nkSfK", "--extras=+F-q", "-I", "REQUIRES+,EXCLUDES+,ACQUIRE+,RELEASE+,TRY_ACQUIRE+,CAPABILITY+",
         *files], capture_output=True, text=True, check=True).stdout
    found = {}
    for l in out.splitlines():
        p = l.split("\t")
        if l.startswith("!") or len(p) < 4:
            continue
        name, path, kind = p[0], p[1], p[3]
        fields = dict(x.split(":", 1) for x in p[4:] if ":" in x)
        local = "file" in fields or any(x == "file:" for x in p) or (path.endswith(".c") and kind in ("macro", "struct", "enum", "union", "typedef", "enumerator", "local", "externvar", "prototype"))
        if kind == "function" and path.endswith(".c") and "file" not in fields:
            with open(path, encoding="utf-8") as f:         # INLINE hides a static from ctags
                near = f.read().split("\n")[max(0, int(fields.get("line", 1)) - 2):int(fields.get("line", 1))]
            local = bool(re.search(r"\b(static|INLINE)\b", near[-1]) or re.match(r"(static|INLINE)\b[^;{}]*$", near[0]))
        found.setdefault(name, []).append((kind, path, int(fields.get("line", 0)), local))
    return found


def check_defs(chunks, tags):
    defs = {}
    for c in chunks:
        for n, w in c.defs:
            if w in defs:
                fault(f"{c.file}:{n}", f"{w} has its @ %def in {defs[w]} already; keep the one where it is defined")
            else:
                defs[w] = f"{c.file}:{n}"
    if not tags:
        return defs
    for name, all_ in sorted(tags.items()):
        if name.startswith("__anon") or name in defs:
            continue
        for kind, path, line, local in all_:
            guard = kind == "macro" and re.search(r"_H_?$", name)
            wanted = kind in ("function", "struct", "union", "enum", "typedef", "macro", "enumerator") and not local
            if kind == "enumerator" and path.endswith(".c"):
                wanted = False
            if wanted and not guard:
                text = open(path, encoding="utf-8").read().split("\n")[line - 1]
                fault(source_of(path, line, text), f"{kind} {name} has no @ %def; add it after the chunk's last line")
                break
    everything = "\n".join("\n".join(s for _, s in c.lines) for c in chunks)
    for name, place in sorted(defs.items()):
        if name not in tags and not re.search(r"\b%s\b" % re.escape(name), everything):
            fault(place, f"@ %def {name}, but no code defines {name}")
        elif name not in tags and not re.search(r"\b[A-Z_]+\s*\(.*\b%s\b|\b%s\s*\(|^\s*%s\)?:" % ((re.escape(name),) * 3), everything, re.M) \
                and name not in shell_names(chunks):
            warn(place, f"@ %def {name}: ctags finds no definition of it")
    return defs


def shell_names(chunks):
    return {w for c in chunks if re.search(r"\.(sh|in|md)$", c.name) for _, w in c.defs}


KNOWN = set("""malloc calloc realloc free posix_memalign aligned_alloc memalign valloc pvalloc
malloc_usable_size reallocarray cfree free_sized free_aligned_sized mallopt mallinfo mallinfo2 malloc_trim
malloc_stats malloc_info abort fork exit vfork""".split())


def check_quotes(order, defs, tags, quotes, chunks):
    """Prose that calls name(), or names room_something, names what is there."""
    rooms = set(order)
    words = set(defs) | set(tags) | KNOWN
    for c in chunks:
        for _, s in c.lines:
            words.update(re.findall(r"[A-Za-z_]\w*", s))
    for place, q, ours in quotes:
        if q.startswith("<<"):
            continue
        for w, call in re.findall(r"([A-Za-z_]\w*)\s*(\(\)?)?", q):
            prefix = w.split("_")[0]
            like = prefix in rooms and (ours or prefix != "malloc") and "_" in w and not w.endswith("_t")
            if like and w not in words and not re.search(r"[./]%s|%s[./]" % (re.escape(w), re.escape(w)), q):
                fault(place, f"prose quotes {w}, and no code has that name")
            elif ours and call == "()" and q == w + "()" and w not in words:
                warn(place, f"prose quotes {w}() in [[ ]], and no code has that name; use `…` for other people's names")


# ---- references ---------------------------------------------------------------------------------

def check_references(prose):
    labels, keys, used = {}, set(), []
    here = os.path.dirname(__file__)
    depth = 0
    for l in open(os.path.join(here, "refs.bib"), encoding="utf-8"):
        m = re.match(r"@\w+\{([^,\s]+)", l)
        if m:
            if depth != 0:
                fault("book/refs.bib", f"the entry before {m.group(1)} has no closing brace")
            depth = 0
            if m.group(1) in keys:
                fault("book/refs.bib", f"key {m.group(1)} stands twice")
            keys.add(m.group(1))
        depth += l.count("{") - l.count("}")
    for file, lines in prose.items():
        headings, silent = 0, []
        for n, plain, whole in lines:
            for m in re.findall(r"\{(?:\.[\w-]+\s+)?#([\w:.-]+)|^:::.*#([\w:.-]+)", whole):
                label = m[0] or m[1]
                if label in labels:
                    fault(f"{file}:{n}", f"label {label} stands in {labels[label]} already")
                labels[label] = f"{file}:{n}"
            bare = re.sub(r"https?://\S+", "", plain)
            used += [(f"{file}:{n}", r) for r in re.findall(r"(?<![\w.@])-?@([A-Za-z][\w:-]*(?:\.[\w-]+)*)", bare)]
            for m in re.findall(r"!\[[^\]]*\]\(([^)]+)\)|\]\((figures/[^)]+)\)", whole):
                path = m[0] or m[1]
                if not any(os.path.exists(path + e) for e in ("", ".tex", ".dot", ".gp")):
                    fault(f"{file}:{n}", f"there is no {path}.tex, .dot or .gp")
            for m in re.findall(r"\]\(#([\w:-]+)\)", whole):
                used.append((f"{file}:{n}", m))
            m = re.match(r'!\[(.*)\]\(figures/[\w-]+\)\{[^}]*?(?:\balt="([^"]*)")?\}', whole)
            if m and m.group(2) is None:
                silent.append(n)
            elif m and re.sub(r"\W+", " ", m.group(2)).strip().lower() in ("", re.sub(r"\W+", " ", m.group(1)).strip().lower()):
                fault(f"{file}:{n}", 'the alt text is the caption or empty; alt="..." says what is to be seen')
            data = [m.group(1) for m in re.finditer(r"\(data:([^/)]+)/", whole)]
            data += re.findall(r"^:::.*\bfile=([^\s}]+)", whole)
            for d in data:
                if not os.path.exists(os.path.join(os.environ.get("LOOM_DATA", "figures/data"), d)):
                    fault(f"{file}:{n}", f"there is no data file figures/data/{d}")
            long = len(re.sub(r' alt="[^"]*"', "", whole))
            if long > PROSE:
                warn(f"{file}:{n}", f"{long} characters in a line; one sentence a line")
            m = re.match(r"(#+) ", whole)
            if m and len(m.group(1)) == 1 and not re.search(r"\.(part|unnumbered)", whole):
                headings += 1
                if "{#ch-" not in whole and "{#app-" not in whole:
                    fault(f"{file}:{n}", "a chapter needs a label: # Title {#ch-name}")
                if headings > 1:
                    fault(f"{file}:{n}", "a second chapter in this file; one file a chapter")
            if re.search(r"<<(?!.*>>=)", re.sub(r"@<<", "", plain)):
                fault(f"{file}:{n}", "<< in prose; write [[ ]] around it, or @<<")
        if silent:
            told = fault if re.search(r"/(0[1-4]|8[124])-", file) else warn
            told(f"{file}:{silent[0]}", f'{len(silent)} figures without alt="...", which says what is to be seen, and not what it means')
    ours = ("fig:", "tab:", "eq:", "sec-", "ch-", "ex-", "part-", "app-")
    for place, r in used:
        r = r.rstrip(".:-")
        if r in labels or r in keys:
            continue
        fault(place, f"@{r} refers to nothing" if r.startswith(ours) else f"@{r} is no key of book/refs.bib")
    for label, place in sorted(labels.items()):
        if label.startswith("fig:") and not any(r.rstrip(".:-") == label for _, r in used):
            warn(place, f"the text never speaks of @{label}")


# ---- the options --------------------------------------------------------------------------------

def amount(s):
    """A value of an option as a number: "4096m", "64 TiB", "POW2(46)", "false"."""
    s = s.replace("\\ ", " ").replace("−", "-").strip("` ")
    m = re.fullmatch(r"POW2\((\d+)\)", s)
    if m:
        return 1 << int(m.group(1))
    known = {"true": 1, "false": 0, "INT32_MAX": 2**31 - 1, "INT64_MAX": None, "": 0}
    if s in known:
        return known[s]
    m = re.fullmatch(r"(-?[\d ]+?) ?([kmgKMGT]?)(?:iB)?", s)
    power = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
    return int(m.group(1).replace(" ", "")) << power[m.group(2).lower()] if m else s


def bounds(s):
    """"256m to 64 TiB", "0 and up", "-1 or more", "true, false", as two amounts."""
    if s in ("true, false", ""):
        return 0, 1
    m = re.fullmatch(r"(.+?) (?:and up|or more)", s)
    if m:
        return amount(m.group(1)), None
    least, _, most = s.partition(" to ")
    return amount(least), amount(most)


def check_options():
    """The keys in the code, their defaults and bounds, against all that tells of them."""
    path = os.path.join(TANGLED, "options.c")
    if not os.path.exists(path) or not os.path.exists("README.md"):
        return
    code = open(path, encoding="utf-8").read()
    first = re.search(r"struct options options[^;]*?= \{(.*?)\n\};", code, re.S)
    first = dict(re.findall(r"\.(\w+) = ([^,]+),", first.group(1))) if first else {}
    keys = {k: (amount(first.get(field, "")), amount(least), amount(most)) for k, field, least, most in
            re.findall(r'\{ "(\w+)", [A-Z]\w+, offsetof\(struct options, (\w+)\),\s*([^\s,]+),\s*([^\s]+) \},', code)}
    if not keys:
        fault(path, "no table of keys was found; check_options in book/lint.py wants to know how it looks now")
    row = r"(?m)^\| `(\w+)` \|"
    book = next((f for f in NW if re.search(r"\{#tab:options\}", open(f, encoding="utf-8").read())), None)
    manual = os.path.join(TANGLED, "litmalloc.1.md")
    told = [("README.md", row + r" (`[^|]*`)()[^|]*\|", 2, False),
            (manual, r"(?m)^\*\*(\w+)\*\*:\*([^*]+)\*(?: \(([^)]*)\))?$", 2, True)]
    if book:
        told.append((book, row + r" ([^|]*) \| ([^|:]*?)(?::[^|]*)? \|", 3, True))
    for place, pattern, default, both in told:
        text = open(place, encoding="utf-8").read()
        seen = set()
        for m in re.finditer(pattern, text):
            key, line = m.group(1), text[:m.start()].count("\n") + 1
            if key in seen:
                fault(f"{place}:{line}", f"the option {key} is told twice")
            seen.add(key)
            if key not in keys:
                fault(f"{place}:{line}", f"{key} is no key of {path}")
                continue
            if amount(m.group(default)) != keys[key][0]:
                fault(f"{place}:{line}", f"{key} is {m.group(default)} here, and {keys[key][0]} in {path}")
            said = m.group(5 - default) or ""
            if both and bounds(said) != keys[key][1:]:
                fault(f"{place}:{line}", f"{key} goes from {said or 'false to true'} here, and in {path} from {keys[key][1]} to {keys[key][2]}")
        for key in sorted(set(keys) - seen):
            fault(place, f"the option {key} of {path} is not told of, or not in the form of the others")


# ---- the listings -------------------------------------------------------------------------------

def check_listings():
    """The instructions printed in the book are those that figures/listing.sh took from the object file.
    They are not taken in by the weaver: the prose speaks of single lines, so
    its author has to see that they changed."""
    path = os.path.join(os.environ.get("LOOM_DATA", "figures/data"), "listing.txt")
    if not os.path.exists(path):
        return
    listed = {}
    for l in open(path, encoding="utf-8").read().splitlines():
        if re.fullmatch(r"\w+:", l):
            name = l[:-1]
            listed[name] = []
        else:
            listed[name].append(l)
    missing = set(listed)
    for file in NW:
        text = open(file, encoding="utf-8").read()
        for m in re.finditer(r"(?ms)^```\n( 1  [a-z]+ .*?)\n```$", text):
            lines = m.group(1).splitlines()
            near = min(listed, key=lambda f: sum(a != b for a, b in zip(listed[f], lines)) + abs(len(listed[f]) - len(lines)))
            missing.discard(near)
            at = text[:m.start()].count("\n") + 2
            for n in range(max(len(lines), len(listed[near]))):
                have = lines[n] if n < len(lines) else "nothing"
                want = listed[near][n] if n < len(listed[near]) else "nothing"
                if have != want:
                    fault(f"{file}:{at + n}", f"the listing of {near} has {have.strip()!r}, and {path} {want.strip()!r}; change both, and read the prose after it")
    for name in sorted(missing) if any("malloc" in f for f in NW) else ():
        fault(path, f"the listing of {name} stands in no chapter")


# ---- C ----------------------------------------------------------------------------------------------

def check_ifs():
    """No #if inside a function: an #if after a line that begins with { and before one that begins with }."""
    for path in tangled_files((".c", ".h")) + tool_files((".c", ".h")):
        inside = False
        for n, s in enumerate(open(path, encoding="utf-8"), 1):
            if s.startswith("{"):
                inside = True
            elif s.startswith("}"):
                inside = False
            elif inside and re.match(r"\s*#\s*(if|ifdef|ifndef|elif|else|endif)\b", s):
                fault(source_of(path, n, s), "#if inside a function; use if (constant), or put it around two functions")


def run(tool, package, args, files):
    if not shutil.which(tool):
        fault("lint", f"{tool} is missing; it comes with Debian's package {package}")
        return
    p = subprocess.run([tool, *args, *files], capture_output=True, text=True)
    if p.returncode:
        fault(TANGLED, f"{tool} {' '.join(args)} found:\n{(p.stderr or p.stdout).rstrip()}")


def check_compilers():
    rooms = tangled_files(".c")
    if not rooms:
        return
    tools = tool_files(".c")
    flags = ["-std=gnu17", "-O2", "-Wall", "-Wextra", "-Wpedantic", "-Werror", "-fsyntax-only", "-pthread",
             "-fno-builtin-malloc", "-fno-builtin-calloc", "-fno-builtin-realloc", "-fno-builtin-free"]
    for debug in ([], ["-DLIT_DEBUG=1"]):
        run("gcc", "gcc", flags + debug, rooms)
        run("clang", "clang", flags + ["-Wthread-safety"] + debug, rooms)
    if tools:
        run("gcc", "gcc", flags, tools)
        run("clang", "clang", flags, tools)
    run("cppcheck", "cppcheck",
        ["--quiet", "--error-exitcode=1", "--inline-suppr", "--std=c11", "--enable=warning,portability,performance",
         # legacyUninitvar: an older check that does not follow an initialiser through a cast.
         "--suppress=missingIncludeSystem", "--suppress=legacyUninitvar", "--suppress=unmatchedSuppression", "-D__GNUC__=12", "-D__x86_64__=1",
         "-j2"], rooms + tools)


def check_fences():
    """Each ::: {...} is closed, or pandoc prints it, and what it encloses, as text."""
    for name in NW:
        inside, quoted, opened = False, False, []
        for at, line in enumerate(open(name), 1):
            if re.match(r"<<.*>>=$", line):
                inside = True
            elif re.match(r"@( |$)", line):
                inside = False
            elif not inside and line.startswith("```"):
                quoted = not quoted
            elif not inside and not quoted and re.match(r":::+ *[{\w]", line):
                opened.append(at)
            elif not inside and not quoted and re.match(r":::+ *$", line):
                if opened:
                    opened.pop()
                else:
                    fault(f"{name}:{at}", "this ::: closes nothing")
        for at in opened:
            fault(f"{name}:{at}", "this ::: is never closed")


def check_overfull():
    path = "build/book/the-woven-heap.overfull"
    if os.path.exists(path) and os.path.getmtime(path) >= max(map(os.path.getmtime, NW)):
        n = int(open(path).read().split()[0] or 0)
        if n:
            fault(path, f"{n} overfull lines or pages; make book shows them: reword, or break by hand")


def main():
    if not NW:
        sys.exit("lint: no .nw files")
    stage = "build/lint-stage"
    os.makedirs("build", exist_ok=True)
    with open(stage, "w") as f:
        subprocess.run([MARKUP, *NW], stdout=f, check=True)
    web = subprocess.run(["awk", "-v", "roots=/dev/null", "-f", os.path.join(os.path.dirname(__file__), "web.awk"), stage],
                         capture_output=True, text=True)
    for l in web.stdout.splitlines():
        place, _, text = l.partition(": ")
        fault(place, text)
    chunks, prose, quotes = read_web()
    order = read_map()
    check_map(order)
    check_chunks(chunks)
    tags = ctags()
    defs = check_defs(chunks, tags)
    check_quotes(order, defs, tags, quotes, chunks)
    check_references(prose)
    check_options()
    check_listings()
    check_ifs()
    check_compilers()
    check_fences()
    check_overfull()
    print(f"lint: {len(NW)} chapters, {len(chunks)} chunks, {len(defs)} names: "
          f"{faults} faults, {warnings} warnings")
    sys.exit(faults > 0)


main()
