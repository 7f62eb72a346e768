# programs: real programs say the same while they are recorded; their traces replay on every allocator.
# timeout: 240
. "$(dirname "$0")/common"
need python3; need perl; need git; need gcc
python=$(python3 -c 'import sys; print(sys.executable)')
cat >p.py <<'X'
import json, threading, zlib
def work(n):
    rows = [{"id": i, "name": "row %d" % i, "t": ["x" * (i % 700)] * 3} for i in range(n)]
    s = json.dumps(json.loads(json.dumps(rows)))
    out[n] = zlib.crc32(zlib.compress(s.encode()))
out = {}
ts = [threading.Thread(target=work, args=(2000 + i,)) for i in range(3)]
for t in ts: t.start()
for t in ts: t.join()
print(sorted(out.items()))
X
cat >h.pl <<'X'
my %h; for my $i (1..20000) { $h{$i * 7919 % 10007} .= "line $i\n"; }
my $s = join '', map { "$_ " . length $h{$_} } sort { $a <=> $b } keys %h; print length $s, "\n";
X
cat >g.sh <<'X'
set -e; rm -rf repo; git init -q repo; cd repo; git config user.email a@b; git config user.name n
i=0; while [ $i -lt 10 ]; do i=$((i + 1)); echo "line $i" >>f; git add f; git commit -q -m "c $i"; done
git gc -q; git log --format=%s | wc -l
X
# same NAME TRACES COMMAND...: at least so many traces; the output as without us.
same() {
    name=$1 least=$2; shift 2
    "$@" >"$name.without"
    "$lit" record -o "$name.lt" "$@" >"$name.with" || fail "$name: exit status $?"
    cmp "$name.without" "$name.with" || fail "$name says something else while it is recorded"
    n=$(ls "$name".lt* | wc -l)
    [ "$n" -ge "$least" ] || fail "$name: $n traces"
    for f in "$name".lt*; do
        [ "$(value "$f" lost)$(value "$f" unseen)" = 00 ] || fail "$f: lost or unseen events"
    done
    echo "$name: $n traces, $(cat "$name".lt* | wc -c) bytes"
}
same python 1 "$python" p.py
same perl 1 perl h.pl
same git 1 sh g.sh
echo 'int f(int x) { return x ? x * f(x - 1) : 1; }' >f.c
same gcc 2 gcc -O2 -S -o - f.c
for f in python.lt perl.lt; do
    for how in '' --threads; do
        for a in $allocators; do
            "$lit" replay -a "$a" --csv --check $how "$f" | cut -d, -f1-13 >"counts.$(basename "$a")"
            cmp counts.system "counts.$(basename "$a")" || fail "$f on $a: other counts"
        done
    done
done
demand perl.lt unknown=0 failed=0
