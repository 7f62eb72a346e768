#!/bin/sh
# drift.sh -- peak resident memory while sizes drift, for other bounds on stacks and depots,
# and what they cost in time: user and system seconds of the workload rptest, the best of
# five, over those of what is built.  Then the same two of the workload trees, for other
# bounds on the depots of the smallest classes; the peaks of two programs for other run lengths;
# processor time when emptied magazines go back to the base room; a vector that stays
# among the large regions for longer; huge blocks that get huge pages later; and arenas that
# give back what is dirty before they grow.
# make bench-drift; writes figures/data/drift-caches.csv, depot-share.csv, run-lengths.csv,
# magazines.csv, growing.csv, welcome.csv, lean.csv.
# A variant is tangled/ changed by sed.
set -eu
cd "$(dirname "$0")/../.."
CC=${CC:-cc} out=build/drift
rm -rf "$out"
mkdir -p "$out"
$CC -std=gnu17 -O2 -fno-builtin -pthread -iquote tests/stress -I tests \
  tests/stress/fragmentation.c -o "$out/fragmentation"

# build NAME ROOM SCRIPT: the library of a variant
build() {
  mkdir "$out/src"
  cp tangled/*.[ch] "$out/src"
  sed "$3" "tangled/$2" >"$out/src/$2"
  if [ -n "$3" ] && cmp -s "tangled/$2" "$out/src/$2"; then
    echo "drift: '$1' changes nothing in $2" >&2
    exit 1
  fi
  $CC -std=gnu17 -O3 -fomit-frame-pointer -falign-functions=32 -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-builtin-malloc \
    -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free -pthread -shared \
    "$out"/src/*.c -o "$out/variant.so"
  rm -r "$out/src"
}

# best_of WORKLOAD OPTIONS [THREADS]: "TIME PEAK" of the variant that was built last: the time over that
# of the table's first variant, the peak in KiB
best_of() {
  for i in 1 2 3 4 5; do
    LITMALLOC_CONF=$2 build/bench/run "$PWD/$out/variant.so" build/bench/workloads "$1" ${3:-} 3>&1
  done | awk '{ t = $2 + $3; if (NR == 1 || t < best) best = t; if (NR == 1 || $4 < peak) peak = $4 }
    END { print best, peak }' >"$out/best"
  [ -e "$out/first.$1${3:-}" ] || cp "$out/best" "$out/first.$1${3:-}"
  cat "$out/best" "$out/first.$1${3:-}" | awk '{ t[NR] = $1; peak[NR] = $2 }
    END { printf "%.2f %d\n", t[1] / t[2], peak[1] }'
}

# drift NAME ROOM SCRIPT [OPTIONS]: a variant's row of drift-caches.csv
drift() {
  build "$1" "$2" "$3"
  time=$(best_of rptest "${4:-}")
  SEED=1 FRAGMENTATION_TABLE=1 LITMALLOC_CONF=${4:-} LD_PRELOAD=$PWD/$out/variant.so \
    "$out/fragmentation" |
    sed -n "s/.*[ ]resident=\([0-9]*\) shift=\([0-9.]*\) .*/$1,\1,\2/p" |
    awk -F, -v OFS=, -v time="${time% *}" '{ $2 = int($2 / 1024); print $0, time }'
}

# share NAME [RULE]: a row of depot-share.csv, by another rule than the one that is built
share() {
  build "$1" bin.c "${2:+s/^    size_t share = .*/    size_t share = $2;/}"
  set -- "$1" $(best_of trees '') $(best_of graph '')
  echo "$1,$2,$3,$4,$5"
}

# lengths NAME [SCRIPT]: a row of run-lengths.csv
lengths() {
  build "$1" sizeclass.c "${2:-}"
  python3 - "$1" "$PWD/$out/variant.so" <<'END'
import statistics, sys, tempfile
sys.path.insert(0, "tests/bench")
import peers, programs
with tempfile.TemporaryDirectory() as folder:
    commands = {name: (command, more) for name, command, more in programs.programs(folder)[0]}
    lacking = {"sqlite3", "gs"} - set(commands)
    if lacking:
        sys.exit(f"drift: {' and '.join(sorted(lacking))} cannot be run here; `make bench` says what is missing")
    peaks = [statistics.median(peers.run(command, sys.argv[2], more).peak for _ in range(5))
             for command, more in (commands["sqlite3"], commands["gs"])]
print(sys.argv[1], *(round(kib) for kib in peaks), sep=",")
END
}

# magazines NAME [SCRIPT]: a row of magazines.csv
magazines() {
  build "$1" tcache.c "${2:-}"
  set -- "$1" $(best_of threadtest '') $(best_of threadtest '' 2) $(best_of sh6bench '' 2)
  echo "$1,$2,$4,$6"
}

# growing NAME [SCRIPT]: a row of growing.csv
growing() {
  build "$1" malloc.c "${2:-}"
  best_of vector '' | awk -v name="$1" '{ printf "%s,%s,%.1f\n", name, $1, $2 / 1024 }'
}

# compared NAME ROOM SCRIPT "WORKLOAD THREADS"...: a row of time and MiB of each workload
compared() {
  build "$1" "$2" "$3"
  line=$1
  shift 3
  for workload; do
    line=$line,$(best_of "${workload% *}" '' "${workload#* }" | awk '{ printf "%s,%.1f", $1, $2 / 1024 }')
  done
  echo "$line"
}

# head_of COLUMNS: the first lines of a table, whose times are over those of its own first variant
head_of() {
  rm -f "$out"/first.*
  echo "$1"
  echo "# $(uname -m), $($CC --version | head -n 1); $(date -u +%F)"
  echo "# written by: make bench-drift"
}

every='s/((s) <= MAGAZINE_SIZE ? CACHED(s) \/ 2 - 1 : 0)/(CACHED(s) >= 7 ? CACHED(s) \/ 2 - 1 : 1)/'
lean='s/^    while (r == NULL$/    if (r == NULL \&\& pageheap_purge(\&a->pages, pages_now_ms(), true) > 0)\n        r = pageheap_take(\&a->pages, npages, alignment, state, zeroed);\n&/'
shallow='s/^    ALL_ONES(((s) > WIDE_MIN \&\& (s) <= WIDE_MAX ? 2 : 1) \* CACHED_BYTES \/ (s))/    ((s) <= 256 ? ALL_ONES(CACHED_BYTES \/ (s)) : (s) <= MAGAZINE_SIZE ? ALL_ONES(32768 \/ (s)) : (s) > 16384 ? 1 : ALL_ONES(16384 \/ (s)))/'
{
  head_of "variant,resident,ratio,time"
  drift "as it is" sizeclass.c ''
  drift "magazines of all" sizeclass.c "$every"
  drift "shallow stacks" sizeclass.c "$shallow"
  drift "no depots" bin.c 's/parked = may_park(b, full->nregions)/parked = false \&\& may_park(b, 0)/'
  drift "every idle stack looked at" thread.c 's/all ? NSMALL : 1/NSMALL/'
  drift "no caches" sizeclass.c '' tcache:false
} >"$out/table"
{
  head_of "rule,trees_time,trees_kib,graph_time,graph_kib"
  share "a quarter and half" "size < 64 ? size : 64"
  share "half and all" ""
  share "all of every class" "64"
} >"$out/share"
{
  head_of "lengths,sqlite3_kib,gs_kib"
  lengths "as it is"
  lengths "four pages" 's/SMALL(\(2560\|3072\|5120\|6144\|10240\|12288\|20480\), [35])/SMALL(\1, 4)/g'
} >"$out/lengths"
{
  head_of "where,threadtest,threadtest_x2,sh6bench_x2"
  magazines "exchanged"
  magazines "base room" \
    's/^    set_depth(t, c, n - 1);/&\n    magazine_free(t->spare[c], c), t->spare[c] = NULL;/'
} >"$out/magazines"
{
  head_of "rule,vector_time,vector_mib"
  growing "huge from 1 MiB"
  growing "large up to 2 MiB" 's/grows && size > LARGE_MAX \/ 2/grows \&\& size > LARGE_MAX/'
} >"$out/growing"
{
  head_of "from,large_time,large_mib"
  compared "2 MiB" huge.c '' "large 1"
  compared "8 MiB" huge.c 's/nbytes \* HUGE_EARLIER/nbytes/' "large 1"
} >"$out/welcome"
{
  head_of "rule,mstress_time,mstress_mib,large_time,large_mib,rptest_time,rptest_mib"
  compared "as it is" arena.c '' "mstress 4" "large 1" "rptest 1"
  compared "all that is dirty" arena.c "$lean" "mstress 4" "large 1" "rptest 1"
} >"$out/lean"
cp "$out/table" figures/data/drift-caches.csv
cp "$out/share" figures/data/depot-share.csv
cp "$out/lengths" figures/data/run-lengths.csv
cp "$out/magazines" figures/data/magazines.csv
cp "$out/growing" figures/data/growing.csv
cp "$out/welcome" figures/data/welcome.csv
cp "$out/lean" figures/data/lean.csv
cat "$out/table" "$out/share" "$out/lengths" "$out/magazines" "$out/growing" "$out/welcome" "$out/lean"
