# timeout: 240
# plot: every kind of picture of a trace is well-formed, and its table has the right shape and sums.
. "$(dirname "$0")/common"
need gnuplot gnuplot-nox
need python3
python=$(python3 -c 'import sys; print(sys.executable)')
program mixed <<'C'
#include <stdlib.h>
void *kept[3000];
int main(void)
{
    for (int i = 0; i < 30000; i++) { free(kept[i % 3000]); kept[i % 3000] = malloc(1000); }
    return 0;                                   /* 3000 blocks of 1000 bytes live from 1/10 on */
}
C
for a in $allocators; do
    "$lit" record -a "$a" -o m.lt ./mixed
    for kind in address size live life; do
        ends="svg csv"; [ $a != system ] || ends="svg pdf png csv"
        for end in $ends; do
            "$lit" plot --kind $kind -o m-$kind.$end m.lt || fail "$kind $end"
            [ -s m-$kind.$end ] || fail "m-$kind.$end is empty"
        done
        "$python" -c 'import sys, xml.dom.minidom as m; t = m.parse(sys.argv[1]); assert t.documentElement.tagName == "svg"' \
            m-$kind.svg || fail "m-$kind.svg is not well-formed"
    done
    for word in 'events' 'addresses, MiB' 'in use'; do grep -q "$word" m-address.svg || fail "no label $word"; done
    # The sum over a column of the address picture is what lives then: 3 000 000 bytes.
    "$python" - <<'X' || fail "$a: the address table is wrong"
rows = [l.rstrip().split(',') for l in open('m-address.csv') if not l.startswith('#')]
n = int(rows[0][0]); assert n > 200 and all(len(r) == n + 1 for r in rows), n
assert 1 < len(rows) <= 121
unit = (float(rows[-1][0]) - float(rows[1][0])) / (len(rows) - 2) * 2**20
live = sum(int(r[n]) for r in rows[1:]) * unit / 100
assert 2.95e6 < live < 3.15e6, live
X
    tail -n 1 m-live.csv | awk -F, '{ exit !($2 > 2.85 && $2 < 2.94 && $3 >= $2 && $3 < 2 * $2 && $5 >= 3000 && $5 < 3004) }' ||
        fail "$a: the curve of live bytes ends with $(tail -n 1 m-live.csv)"
    awk -F, 'NR == 3 { next } /^#/ { next } { for (i = 2; i <= NF; i++) if (NR > 2) n += $i } END { exit n < 30000 || n > 30003 }' m-size.csv ||
        fail "$a: the size table has not 30000 requests"
done
"$lit" plot --from 1000 --to 2000 --columns 10 --rows 8 -o part.csv m.lt
[ "$(sed -n 2p part.csv)" = "9,1100,1201,1302,1403,1504,1605,1706,1807,1908" ] || fail "columns: $(sed -n 2p part.csv)"
[ "$(wc -l <part.csv)" -le 10 ] || fail "more than 8 rows"
for colour in fill size thread; do "$lit" plot --colour $colour -o c.svg m.lt; done
status=0; "$lit" plot --kind nonsense -o x.svg m.lt 2>err || status=$?
[ $status = 2 ] && grep -q usage err || fail "a kind that there is not: $status"
status=0; "$lit" plot -o x.gif m.lt 2>err || status=$?
[ $status = 2 ] && grep -q '.svg, .pdf' err || fail "a file type that there is not: $status"
status=0; "$lit" plot m.lt 2>err || status=$?
[ $status = 2 ] || fail "no -o"
status=0; "$lit" plot --rows none -o x.svg m.lt 2>err || status=$?
[ $status = 2 ] && grep -q 'not a number' err || fail "rows: $status"
