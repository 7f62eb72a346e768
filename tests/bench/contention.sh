#!/bin/sh
# contention.sh -- one lock under 1, 2, 4, 8, 16 threads, and false sharing, counted and
# timed; see contention.c.  make bench-contention
#
# Writes figures/data/contention-*.csv.  Of ROUNDS runs (5) the median by wall time counts.
# TOTAL (2000000) pairs a run.  QUICK=1: one round, a tenth of the pairs, nothing written.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${ROUNDS:=5}" "${TOTAL:=2000000}" "${QUICK:=}" "${OUT:=figures/data}"
if [ -n "$QUICK" ]; then
    ROUNDS=1 TOTAL=$((TOTAL / 10)) OUT=build/bench/contention
fi
program=build/bench/contention-run
mkdir -p build/bench "$OUT"
$CC -std=gnu17 -O2 -fno-builtin -Wall -Wextra -pthread -iquote tangled -o $program tests/bench/contention.c
perf stat -x, -o build/bench/futex -e syscalls:sys_enter_futex true 2>/dev/null || {
    echo "contention: perf cannot count futex calls: install Debian's package linux-perf, and be root" >&2
    exit 1; }
command -v taskset >/dev/null || { echo "contention: taskset is missing (Debian package util-linux)" >&2; exit 1; }

library() {
    case $1 in
    onelock)   echo "$PWD/build/libonelock.so" ;;
    litmalloc) echo "$PWD/build/liblitmalloc.so" ;;
    glibc)     echo ;;
    spin*)     echo "$PWD/build/bench/libonelock-$1.so" ;;
    esac
}

remarks() {
    echo "# $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), $(nproc) processors; $(uname -sr)"
    echo "# $($CC --version | head -n 1); $(getconf GNU_LIBC_VERSION)"
    echo "# $(date -u +%Y-%m-%d), make bench-contention; median of $ROUNDS by the first time"
    echo "# $1"
}

# median COMMAND...: of ROUNDS runs the line whose first value is the median.
median() {
    for round in $(seq "$ROUNDS"); do "$@"; done | sort -t, -n -k 1,1 | sed -n "$(((ROUNDS + 1) / 2))p"
}

# The program's own values, then the futex calls that the kernel counted.
on() {
    values=$(perf stat -x, -o build/bench/futex -e syscalls:sys_enter_futex \
        env LD_PRELOAD="$(library "$1")" taskset -c "$2" $program $3)
    echo "$values,$(sed -n 's/,.*sys_enter_futex.*//p' build/bench/futex)"
}
plain() { env LD_PRELOAD="$(library "$1")" taskset -c "$2" $program $3; }

file=$OUT/contention-pairs.csv
{
    remarks "$TOTAL pairs of free and malloc in all; ns a pair; counts of the whole run"
    echo library,processors,threads,wall,cpu,locked,waited,sleeps,preempted,futexes
    for which in onelock glibc litmalloc; do
        for processors in 0 0,1; do
            for threads in 1 2 4 8 16; do
                echo "$which,$(echo $processors | tr -d ,0 | wc -m),$threads,$(median on $which $processors "pairs $threads 0 $TOTAL")"
            done
        done
    done
} >"$file.new"
mv "$file.new" "$file"

# The rows of the one-lock allocator, for the table.
{ grep '^#' $file; sed -n 's/^library,//p; s/^onelock,//p' $file; } >$OUT/contention-lock.csv

# Tries before sleeping: 100, and without end.
for spins in 100 -1; do
    name=spin$spins
    [ $spins != -1 ] || name=spinever
    $CC -std=gnu17 -O2 -fPIC -shared -pthread -fno-builtin -ftls-model=initial-exec -DSPINS=$spins \
        -include tests/bench/contention_spin.h -o build/bench/libonelock-$name.so tangled/onelock/onelock.c
done
file=$OUT/contention-spin.csv
{
    remarks "one lock with tries before sleeping, 2 processors; ns a pair; counts of the whole run"
    echo lock,threads,wall,cpu,locked,waited,sleeps,preempted,futexes
    for which in onelock spin100 spinever; do
        for threads in 1 2 4 16; do
            echo "$which,$threads,$(median on $which 0,1 "pairs $threads 0 $TOTAL")" | sed 's/^onelock/sleep/; s/^spin100/try100/; s/^spinever/tryever/'
        done
    done
} >"$file.new"
mv "$file.new" "$file"

file=$OUT/contention-tail.csv
{
    remarks "ns of one pair, the clock's own time included: half of all took less, all but 1 in 100, 1000, 10000"
    echo library,threads,half,in100,in1000,in10000
    for which in onelock glibc litmalloc; do
        for threads in 1 2 4 16; do
            echo "$which,$threads,$(median plain $which 0,1 "tail $threads 0 $TOTAL")"
        done
    done
} >"$file.new"
mv "$file.new" "$file"

# The same with private work between the pairs: how much is inside the lock, how much
# two threads gain.
file=$OUT/contention-amdahl.csv
{
    remarks "work: multiplications between two pairs; ns a pair and its work; serial: share of a pair in it"
    echo work,one,two,serial,speedup,waited
    bare=
    for work in 0 25 50 100 200 400 800 1600; do
        one=$(median on onelock 0 "pairs 1 $work $((TOTAL / 2))")
        two=$(median on onelock 0,1 "pairs 2 $work $((TOTAL / 2))")
        echo "$work,$one,$two" | awk -F, -v OFS=, -v bare="${bare:-${one%%,*}}" \
            '{ print $1, $2, $9, sprintf("%.3f", bare / $2 > 1 ? 1 : bare / $2), sprintf("%.3f", $2 / $9), $12 }'
        bare=${bare:-${one%%,*}}
    done
} >"$file.new"
mv "$file.new" "$file"

file=$OUT/contention-sharing.csv
{
    remarks "ns a write; shared: percent of the objects that had a line in common with another thread's"
    echo pattern,library,threads,write,shared
    for pattern in thrash scratch; do
        for which in onelock glibc litmalloc; do
            for threads in 1 2 4 8; do
                echo "$pattern,$which,$threads,$(median plain $which 0,1 "$pattern $threads 8 $((TOTAL / 2))")"
            done
        done
    done
} >"$file.new"
mv "$file.new" "$file"

file=$OUT/contention-ids.csv
{
    remarks "pthread_self() of 16 threads, and the arena of 16 (prime: of 17) to which it leads"
    echo thread,id,modulo,prime,hash,robin
    if setarch -R true 2>/dev/null; then setarch -R $program ids 16 16; else $program ids 16 16; fi
} >"$file.new"
mv "$file.new" "$file"
file=$OUT/contention-arenas.csv
{
    remarks "how many of 16 arenas 16 threads use"
    echo way,used,fullest
    awk -F, '/^#/ || $1 == "thread" { next }
        { for (i = 3; i <= 6; i++) if (++n[i, $i] > most[i]) most[i] = n[i, $i]
          for (i = 3; i <= 6; i++) if (n[i, $i] == 1) used[i]++ }
        END { split("modulo prime hash robin", name, " ")
              for (i = 3; i <= 6; i++) print name[i - 2] "," used[i] "," most[i] }' $OUT/contention-ids.csv
} >"$file.new"
mv "$file.new" "$file"
echo "contention: wrote $OUT/contention-*.csv"
