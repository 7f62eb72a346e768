#!/bin/sh
# drift.sh -- peak resident memory while sizes drift, for other bounds on stacks and depots,
# and what they cost in time: user and system seconds of the workload rptest, the best of
# five, over those of what is built.
# make bench-drift; writes figures/data/drift-caches.csv.  A variant is tangled/ changed by sed.
set -eu
cd "$(dirname "$0")/../.."
CC=${CC:-cc} out=build/drift csv=figures/data/drift-caches.csv
rm -rf "$out"
mkdir -p "$out"
$CC -std=gnu17 -O2 -fno-builtin -pthread -iquote tests/stress -I tests \
  tests/stress/fragmentation.c -o "$out/fragmentation"

# measure NAME ROOM SCRIPT [OPTIONS]: a variant's row
measure() {
  mkdir "$out/src"
  cp tangled/*.[ch] "$out/src"
  sed "$3" "tangled/$2" >"$out/src/$2"
  if [ -n "$3" ] && cmp -s "tangled/$2" "$out/src/$2"; then
    echo "drift: '$1' changes nothing in $2" >&2
    exit 1
  fi
  $CC -std=gnu17 -O2 -fPIC -fvisibility=hidden -ftls-model=initial-exec -fno-builtin-malloc \
    -fno-builtin-calloc -fno-builtin-realloc -fno-builtin-free -pthread -shared \
    "$out"/src/*.c -o "$out/variant.so"
  SEED=1 FRAGMENTATION_TABLE=1 LITMALLOC_CONF=${4:-} LD_PRELOAD=$PWD/$out/variant.so \
    "$out/fragmentation" |
    sed -n "s/.*[ ]resident=\([0-9]*\) shift=\([0-9.]*\) .*/$1,\1,\2/p" |
    awk -F, -v OFS=, -v time="$(best_time "${4:-}")" '{ $2 = int($2 / 1024); print $0, time }'
  rm -r "$out/src"
}

# best_time OPTIONS: of the variant that was built last, over that of the first one.
best_time() {
  for i in 1 2 3 4 5; do
    LITMALLOC_CONF=$1 build/bench/run "$PWD/$out/variant.so" build/bench/workloads rptest 3>&1
  done | awk '{ t = $2 + $3; if (NR == 1 || t < best) best = t } END { print best }' >"$out/time"
  [ -e "$out/first" ] || cp "$out/time" "$out/first"
  cat "$out/time" "$out/first" | awk '{ t[NR] = $1 } END { printf "%.2f\n", t[1] / t[2] }'
}

every='s/((s) <= MAGAZINE_SIZE ? CACHED(s) \/ 2 - 1 : 0)/(CACHED(s) >= 7 ? CACHED(s) \/ 2 - 1 : 1)/'
shallow='s/ALL_ONES(CACHED_BYTES \/ (s))/((s) <= 256 ? ALL_ONES(CACHED_BYTES \/ (s)) : (s) <= MAGAZINE_SIZE ? ALL_ONES(32768 \/ (s)) : (s) > 16384 ? 1 : ALL_ONES(16384 \/ (s)))/'
{
  echo "variant,resident,ratio,time"
  echo "# $(uname -m), $($CC --version | head -n 1); $(date -u +%F)"
  echo "# written by: make bench-drift"
  measure "as it is" sizeclass.c ''
  measure "magazines of all" sizeclass.c "$every"
  measure "shallow stacks" sizeclass.c "$shallow"
  measure "no depots" bin.c 's/parked = may_park(b, m->nregions)/parked = false \&\& may_park(b, 0)/'
  measure "every idle stack looked at" thread.c \
    's/^    tcache_visit.*/    for (int i = 0; i < NSMALL; i++) tcache_visit(\&t->cache);/'
  measure "no caches" sizeclass.c '' tcache:false
} >"$out/table"
cp "$out/table" "$csv"
cat "$csv"
