#!/bin/sh
# watch-record.sh -- records programs on three allocators and writes figures/data/watch-*.csv.
#
#   make watch        (wants python3, sqlite3, gs, git and libjemalloc2)
set -eu
top=$(cd "$(dirname "$0")/.." && pwd)
lit=$top/build/litmalloc data=$top/figures/data
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cd "$work"
export LC_ALL=C HOME="$work" LITMALLOC_CONF=randomize:false PYTHONMALLOC=malloc PYTHONHASHSEED=1
jemalloc=$(ls /usr/lib/*/libjemalloc.so.2 2>/dev/null | head -n 1)
python=$(python3 -c 'import sys; print(sys.executable)')
for tool in sqlite3 gs git gnuplot; do
    command -v $tool >/dev/null || { echo "watch: $tool is missing (Debian package $tool)" >&2; exit 1; }
done
[ -n "$jemalloc" ] || { echo "watch: libjemalloc.so.2 is missing (Debian package libjemalloc2)" >&2; exit 1; }
stamp() { echo "# $(uname -m), $(getconf GNU_LIBC_VERSION), jemalloc $(dpkg-query -W -f '${Version}' libjemalloc2 2>/dev/null), litmalloc $("$lit" --version | cut -d' ' -f2), $(date -u +%F), make watch"; }

cat >rows.py <<'P'
import json
def rows(n, k):
    return [{"id": i, "name": "row %d" % (i * k), "tags": ["t%d" % (i % j) for j in range(1, 6)]}
            for i in range(n)]
a = rows(20000, 3)                      # grows
s = json.dumps(a)                       # one large string
b = json.loads(s)                       # the same again, built by another hand
a = [r for r in a if r["id"] % 8 == 0]  # seven rows of eight die: holes
c = {r["name"]: r for r in rows(9000, 7)}       # into the holes
del b, s
t = sorted(c, key=lambda n: n[::-1])    # small work
c = rows(30000, 11)                     # larger than what went
del c, a
P
sed -n '/^cat >work.sql/,/^X$/p' "$top/tests/programs/sqlite3.sh" | sed '1d;$d;/^\.dump/d' >work.sql
cat >page.ps <<'P'
%!PS
/seed 42 def /rnd { /seed seed 16807 mul 2147483647 mod def seed exch mod } def
/face { [/Times-Roman /Helvetica /Courier /Times-Bold] exch get exch selectfont } def
1 1 12 { /page exch def
    1 1 400 { pop 6 20 rnd add 4 rnd face 550 rnd 780 rnd moveto (The heap is woven here) show } for
    1 1 60 { pop newpath 550 rnd 780 rnd 20 80 rnd add 0 360 arc clip newpath 0 0 moveto 600 800 lineto stroke initclip } for
    /keep 300 array def 0 1 299 { keep exch 200 rnd string put } for
    showpage } for
P
git clone -q --no-local "$top" repo 2>/dev/null || git clone -q "file://$top" repo

# watch NAME COMMAND...: record it on each allocator, from standard input /dev/null.
watch() {
    name=$1; shift
    for a in glibc jemalloc litmalloc; do
        case $a in glibc) on=system ;; jemalloc) on=$jemalloc ;; *) on=litmalloc ;; esac
        setarch -R "$lit" record -a "$on" -o "$name-$a.lt" "$@" </dev/null >/dev/null 2>"$name.err" ||
            { cat "$name.err" >&2; exit 1; }
        longest=$(ls -S "$name-$a.lt"* | head -n 1)     # of a shell and what it became
        [ "$longest" = "$name-$a.lt" ] || mv "$longest" "$name-$a.lt"
        rm -f "$name-$a.lt".*
    done
    echo "watch: $name, $(wc -c <"$name-glibc.lt") bytes"
}
watch python "$python" rows.py
watch sqlite sqlite3 -init /dev/null :memory: '.read work.sql'
watch gs gs -q -dBATCH -dNOPAUSE -dSAFER -sDEVICE=ppmraw -r100 -sOutputFile=/dev/null page.ps
cd repo; git rev-list --objects --all >../objects; cd ..
watch git sh -c 'exec git -C repo -c pack.threads=4 pack-objects --no-reuse-delta --window=30 --stdout <objects >/dev/null'

# What is committed.
for name in python sqlite gs git; do
    for a in glibc jemalloc litmalloc; do
        "$lit" plot --columns 150 --rows 90 -o t.csv "$name-$a.lt"
        { stamp; sed 's/, process [0-9]*//' t.csv; } >"$data/watch-$name-$a.csv"
        "$lit" plot --kind live --columns 200 -o t.csv "$name-$a.lt"
        { stamp; sed 's/, process [0-9]*//' t.csv; } >"$data/watch-$name-$a-live.csv"
    done
    "$lit" plot --kind size --columns 150 -o t.csv "$name-litmalloc.lt"
    { stamp; sed 's/, process [0-9]*//' t.csv; } >"$data/watch-$name-size.csv"
    "$lit" plot --kind life -o t.csv "$name-litmalloc.lt"
    { stamp; sed 's/, process [0-9]*//' t.csv; } >"$data/watch-$name-life.csv"
done
"$lit" plot --colour thread --columns 150 --rows 90 -o t.csv git-litmalloc.lt
{ stamp; sed 's/, process [0-9]*//' t.csv; } >"$data/watch-git-threads.csv"

# One line a program and allocator: what was asked for, on how many pages it lay, what was held.
{   stamp
    echo "run,program,allocator,events,calls,frees,bytes_an_event,live_mib,pages_mib,resident_mib,replay_mib"
    for name in python sqlite gs git; do
        for a in glibc jemalloc litmalloc; do
            case $a in glibc) on=system ;; jemalloc) on=$jemalloc ;; *) on=litmalloc ;; esac
            "$lit" plot --kind live --columns 100000 -o t.csv "$name-$a.lt"
            "$lit" replay -a "$on" --csv "$name-$a.lt" >r.csv
            awk -F, -v run="$name-$a" -v name="$name" -v a="$a" -v size="$(wc -c <"$name-$a.lt")" '
                NR == FNR { if (FNR > 2) { if ($2 > live) live = $2; if ($3 > pages) pages = $3
                            if ($4 > resident) resident = $4; events = $1 } next }
                FNR == 2 { calls = $3 + $4 + $5 + $6; frees = $7
                           printf "%s,%s,%s,%d,%d,%d,%.2f,%.1f,%.1f,%.1f,%.1f\n", run, name, a, events, calls,
                               frees, size / events, live, pages, resident, $14 / 1024 }' t.csv r.csv
        done
    done
} >"$data/watch-programs.csv"
cat "$data/watch-programs.csv"; ls -l "$data"/watch-* | awk '{ print $5, $9 }'
