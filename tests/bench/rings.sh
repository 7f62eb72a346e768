#!/bin/sh
# rings.sh -- from which run to take: the experiment of the chapter on the paper of 2006.
#
#   make bench-rings            about five minutes; SEED=n for other sequences
#
# Everything counted is exact and repeats with the seed, on any machine; only the sequences
# recorded from programs depend on what is installed.  See rings.c.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${TANGLED:=tangled}" "${OUT:=figures/data}" "${SEED:=20060416}" "${SCALE:=10}"
for need in valgrind python3 perl sqlite3 jq; do
    command -v $need >/dev/null || {
        echo "rings.sh: $need is missing; it comes with Debian's package $need" >&2
        exit 1
    }
done
work=build/bench/rings.d
mkdir -p $work
$CC -std=gnu17 -O2 -g -Wall -Wextra -fno-builtin -pthread -iquote "$TANGLED" \
    -o build/bench/rings tests/bench/rings.c "$TANGLED"/*.c
$CC -std=gnu17 -O2 -Wall -Wextra -fno-builtin -fPIC -shared -o build/bench/rings-log.so \
    tests/bench/rings-log.c
echo "rings: seed $SEED, scale $SCALE" >&2

# ---- what real programs ask for ----------------------------------------------------------
record() {
    name=$1
    shift
    timeout 300 env RINGS_LOG=$work/$name LD_PRELOAD=$PWD/build/bench/rings-log.so \
        PYTHONHASHSEED=0 PYTHONMALLOC=malloc PERL_HASH_SEED=0 "$@" >/dev/null
    test -s $work/$name || {
        echo "rings.sh: nothing was recorded of $name" >&2
        exit 1
    }
}
cat > $work/input.py <<'END'
import json
rows = [{"id": i, "name": "row %d" % i, "tags": [str(j) for j in range(i % 7)]}
        for i in range(40000)]
for turn in range(4):
    text = json.dumps(rows)
    other = json.loads(text)
    rows = [r for r in other if r["id"] % 5 != turn] + \
           [{"id": -i, "name": "new %d" % i * 3, "tags": []} for i in range(6000)]
END
cat > $work/input.pl <<'END'
my %h;
for my $turn (1 .. 4) {
    for my $i (1 .. 100000) { push @{ $h{ $i % 5000 } }, "x" x ($i % 97 * $turn); }
    for my $k (sort keys %h) { delete $h{$k} if $k % 4 == $turn % 4; }
}
END
cat > $work/input.sql <<'END'
create table t(a integer primary key, b text, c real);
with recursive n(i) as (select 1 union all select i + 1 from n where i < 60000)
  insert into t select i, 'row ' || i || hex(i * 7919), i * 1.5 from n;
create index tb on t(b);
select count(*) from t x join t y on x.a = y.a + 1;
delete from t where a % 3 = 0;
select group_concat(b) from t where a < 20000;
END
python3 -c 'import json
print(json.dumps([{"id": i, "v": [str(j) for j in range(i % 9)]} for i in range(40000)]))' \
    > $work/input.json
$CC -E -std=gnu17 -iquote "$TANGLED" tests/bench/rings.c > $work/input.i
record cc1 "$($CC -print-prog-name=cc1)" -quiet -O2 -fpreprocessed $work/input.i -o /dev/null
record python "$(python3 -c 'import sys; print(sys.executable)')" $work/input.py
record perl perl $work/input.pl
record sqlite sqlite3 :memory: ".read $work/input.sql"
record jq jq -c 'map(select(.id % 3 == 0)) | group_by(.v | length) | map(length)' $work/input.json

# ---- every workload under every rule ---------------------------------------------------------
remarks() {
    echo "# tests/bench/rings.sh, seed $SEED, scale $SCALE; $(date -u +%Y-%m-%d)"
    echo "# $($CC --version | head -n 1); $(uname -srm)"
    echo "# pages of 16 KiB; recorded: cc1, python3, perl, sqlite3 and jq of this machine"
}
made="tide descent drift bursts queue steady"
recorded="cc1 python perl sqlite jq"
choices="rings= lowest strict fullest newest oldest touched"
others="rings lowest- lowest+"
{
    remarks
    echo "workload,rule,cache,calls,idealpeak,peak,mean,idealend,end,endexcess,made,left,moves,chunkpages"
    for cache in 0 1; do
        for w in $made $recorded; do
            for r in $choices $others; do
                case " $made " in
                *" $w "*) build/bench/rings $w $r $cache "$SCALE" "$SEED" ;;
                *) build/bench/rings @$work/$w $r $cache 1 "$SEED" ;;
                esac
            done
        done
    done
} > $work/all.csv
cp $work/all.csv "$OUT/lineage-rings.csv"

# pivot COLUMN CACHE RULES WORKLOADS: a row a workload, a column a rule.
pivot() {
    remarks
    awk -F, -v column="$1" -v cache="$2" -v rules="$3" -v names="$4" '
        /^#/ { next }
        !head++ { for (i = 1; i <= NF; i++) at[$i] = i; next }
        $3 == cache { value[$1, $2] = $at[column] }
        END {
            n = split(names, w, " "); m = split(rules, r, " ")
            printf "workload"
            for (j = 1; j <= m; j++) { s = r[j]; sub(/=/, "", s); printf ",%s", s }
            print ""
            for (i = 1; i <= n; i++) {
                printf "%s", w[i]
                for (j = 1; j <= m; j++) printf ",%s", value[w[i], r[j]]
                print ""
            }
        }' $work/all.csv
}
pivot mean 0 "$choices" "$made $recorded" > "$OUT/lineage-rings-mean.csv"
pivot mean 1 "$choices" "$made $recorded" > "$OUT/lineage-rings-cached.csv"
pivot end 0 "$choices" "$made" > "$OUT/lineage-rings-end.csv"
pivot chunkpages 0 "$choices" "$made" > "$OUT/lineage-rings-chunks.csv"
pivot mean 0 "$others lowest" "$made $recorded" > "$OUT/lineage-hysteresis.csv"
pivot made 0 "$others lowest" "$made $recorded" > "$OUT/lineage-hysteresis-made.csv"

# ---- the curve of one drop --------------------------------------------------------------------
for r in $choices; do
    build/bench/rings descent $r 0 "$SCALE" "$SEED" $work/curve.$r >/dev/null
done
{
    remarks
    echo "call,ideal,rings,lowest,strict,fullest,newest,oldest,touched"
    paste -d , $work/curve.rings= $work/curve.lowest $work/curve.strict $work/curve.fullest \
        $work/curve.newest $work/curve.oldest $work/curve.touched |
        awk -F, '{ print $1 "," $2 "," $3 "," $6 "," $9 "," $12 "," $15 "," $18 "," $21 }'
} > "$OUT/lineage-descent.csv"

# ---- what a call costs, in instructions ----------------------------------------------------------
cost() {
    valgrind --tool=callgrind --callgrind-out-file=$work/callgrind.out --collect-atstart=no \
        --toggle-collect=take_one --toggle-collect=put_back \
        build/bench/rings "$1" "$2" 0 1 "$SEED" > $work/cost.row 2> $work/cost.err
    calls=$(cut -d, -f4 < $work/cost.row)
    awk -v calls="$calls" '/^(summary|totals):/ { n = $2 } END { printf "%.1f", n / calls }' \
        $work/callgrind.out
}
{
    remarks
    echo "# instructions per call (malloc or free), bitmap work included, by callgrind; scale 1"
    echo "rule,tide,steady,drift"
    export LITMALLOC_CONF=window_bytes:8g
    for r in $choices; do
        echo "${r%=},$(cost tide $r),$(cost steady $r),$(cost drift $r)"
    done
} > $work/cost.csv
cp $work/cost.csv "$OUT/lineage-rings-cost.csv"
python3 tests/bench/rings.py "$OUT" >&2
echo "rings: wrote $OUT/lineage-rings*.csv and lineage-descent.csv" >&2
