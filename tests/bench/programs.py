"""programs.py -- whole programs for the table, with the input that they work on.

Each input is written here, the same in every run, so nothing but the program is needed."""

import os
import shutil

PYTHON = """
import json
rows = [{"id": i, "name": "row %d" % i, "tags": [str(j) for j in range(i % 7)]} for i in range(40000)]
text = json.dumps(rows)
assert json.loads(text) == rows
index = {}
for r in rows:
    for t in r["tags"]:
        index.setdefault(t, []).append(r["name"])
print(sum(len(",".join(sorted(v))) for v in index.values()))
"""

PERL = r"""
my %h; for my $i (1 .. 300000) { push @{ $h{ $i % 5000 } }, "x" x ($i % 97); }
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

LUA = """
local words, n = {}, 0
for i = 1, 100000 do
  local w = "word" .. (i * 7919 % 100003)
  local t = words[w]
  if not t then t = { text = w, places = {} }; words[w] = t; n = n + 1 end
  t.places[#t.places + 1] = { line = i, column = i % 80 }
end
local names = {}
for w, t in pairs(words) do names[#names + 1] = w .. ":" .. #t.places end
table.sort(names)
print(n, #table.concat(names, ","))
"""

POSTSCRIPT = """%!PS
/seed 1 def
/next { seed 16807 mul 2147483647 mod /seed exch def seed } bind def
/table 20000 dict def
0 1 19999 { /k exch def table k 12 string cvs cvn k 8 mod 4 add array put } for
/Times-Roman findfont 11 scalefont setfont
1 1 30 { pop
  0 1 60 { 12 mul 30 add 40 exch moveto
    1 1 12 { pop next 100000 mod 12 string cvs show ( ) show } for } for
  1 1 150 { pop newpath next 500 mod next 700 mod moveto
    next 500 mod next 700 mod next 500 mod next 700 mod next 500 mod next 700 mod curveto
    next 10 mod 10 div setgray next 2 mod 0 eq { fill } { stroke } ifelse } for
  0 setgray showpage
} for
"""


def smt():
    """Pigeons: 9 into 8 holes, as integers and as bits; and a product of two words that has no solution."""
    lines = ["(set-logic QF_BV)"]
    pigeons, holes = 8, 7
    for p in range(pigeons):
        lines.append(f"(declare-const p{p} (_ BitVec {holes}))")
        lines.append(f"(assert (distinct p{p} (_ bv0 {holes})))")
        lines.append(f"(assert (= (bvand p{p} (bvsub p{p} (_ bv1 {holes}))) (_ bv0 {holes})))")
    for p in range(pigeons):
        for q in range(p):
            lines.append(f"(assert (distinct p{p} p{q}))")
    for k in range(24):
        lines.append(f"(declare-const a{k} (_ BitVec 40))\n(declare-const b{k} (_ BitVec 40))")
        lines.append(f"(assert (= (bvmul a{k} b{k}) (_ bv{1000003 * (k + 3)} 40)))")
    return "\n".join(lines) + "\n(check-sat)\n"


def source():
    text = []
    for i in range(130):
        text.append(f"static __attribute__((noinline)) int f{i}(int a, int b) {{ int s = {i}; "
                    f"for (int i = 0; i < a; i++) s += (i ^ b) * {i + 3}; return s; }}\n")
    text.append("int main(int c, char **v) { int s = 0; (void)v;\n")
    text += [f"s += f{i}(c, s);\n" for i in range(130)]
    return "".join(text) + "return s; }\n"


# The server on the library, the client not.  Debian's redis-server is linked with
# jemalloc, so under glibc libc itself is preloaded, which then comes first.
REDIS = r"""set -e
cd "$1"; clients=${2:-20}; n=${3:-50000}
LD_PRELOAD=${BENCH_LIBRARY:-libc.so.6} redis-server --port 0 --unixsocket "$PWD/socket" --save '' \
  --appendonly no --activedefrag no --daemonize no >server.log 2>&1 &
server=$!
trap 'kill $server 2>/dev/null || :' EXIT
i=0; until [ -S socket ]; do i=$((i + 1)); [ $i -lt 200 ] || exit 1; sleep 0.02; done
redis-benchmark -s socket -n "$n" -c "$clients" -P 16 -d 100 -r 100000 -q -t set,get,lpush,lpop,hset --csv >result.csv
redis-cli -s socket shutdown nosave >/dev/null 2>&1 || :
wait $server || :
trap - EXIT
"""

INPUT = {"p.py": PYTHON, "p.pl": PERL, "p.sql": SQL, "p.lua": LUA, "p.ps": POSTSCRIPT, "redis.sh": REDIS}


def programs(folder):
    """[(name, command, environment)] of those that are installed, with Debian's packages of those that are not."""
    for name, text in {**INPUT, "p.smt2": smt(), "p.c": source()}.items():
        with open(os.path.join(folder, name), "w") as f:
            f.write(text)

    def at(name):
        return os.path.join(folder, name)
    rows = [
        ("python3", "python3", ["/usr/bin/python3", at("p.py")], {"PYTHONMALLOC": "malloc"}),
        ("perl", "perl", ["/usr/bin/perl", at("p.pl")], {"PERL_HASH_SEED": "0"}),
        ("sqlite3", "sqlite3", ["sqlite3", ":memory:", f".read {at('p.sql')}"], {}),
        ("lua", "lua5.4", ["lua5.4", at("p.lua")], {}),
        ("gcc", "gcc", ["gcc", "-O2", "-c", at("p.c"), "-o", at("p.o")], {}),
        ("clang", "clang", ["clang", "-O2", "-c", at("p.c"), "-o", at("p.o")], {}),
        ("gs", "ghostscript", ["gs", "-q", "-dBATCH", "-dNOPAUSE", "-sDEVICE=pdfwrite",
                               f"-sOutputFile={at('out.pdf')}", at("p.ps")], {}),
        ("z3", "z3", ["z3", at("p.smt2")], {}),
        ("redis", "redis-server", ["sh", at("redis.sh"), folder], {"BENCH_SCRIPT": "1"}),
    ]
    missing = [package for _, package, command, _ in rows if not shutil.which(command[0])]
    if not shutil.which("redis-server") or not shutil.which("redis-benchmark"):
        missing.append("redis-server")
    return [(n, c, e) for n, package, c, e in rows if package not in missing], missing
