#!/bin/sh
# onelock_worth.sh -- the one-lock allocator with one idea taken out at a time, on the
# same requests: how much memory it holds then.  Writes figures/data/onelock-worth.csv.
# SEED=n for another run of random sizes.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${OUT:=figures/data}" "${SEED:=20061123}"
work=build/bench/onelock_worth.d
rm -rf $work && mkdir -p $work/onelock
cp tangled/onelock/onelock.h $work/onelock/

# variant NAME N SED: build and run onelock.c with N lines changed by SED.
variant() {
    sed "$3" tangled/onelock/onelock.c >$work/onelock/onelock.c
    changed=$(diff tangled/onelock/onelock.c $work/onelock/onelock.c | grep -c '^>' || :)
    if [ "$changed" != "$2" ]; then
        echo "onelock_worth: $1: $changed lines changed instead of $2; onelock.c is another now" >&2; exit 1
    fi
    $CC -std=gnu17 -O1 -w -fno-builtin -pthread -iquote $work tests/bench/onelock_worth.c \
        $work/onelock/onelock.c -o $work/run
    setarch -R $work/run "$1" "$SEED" >>$work/rows
}

variant "all of it" 0 ''
variant "bins not sorted" 1 's/r != NULL && size_of(r) < size_of(p); r = /0; r = /'
variant "no joining" 3 '/^static struct piece \*join(/,/^}/{
    s/if (!(q->tag & LIVE)) {/if (0) {/
    s/if (!(p->tag & LIVE_BELOW)) {/if (0) {/
    s/p->tag = size | LIVE_BELOW;/p->tag = size | (p->tag \& LIVE_BELOW);/
}'
variant "no splitting" 1 '/^static void cut(/,/^}/s/if (rest < LEAST)/if (rest < LEAST || size_of(p) < 4096)/'
variant "nothing used again" 1 '/^void free(/,/^}/s/give_back(confirm_piece(block, "free"));/;/'
{
    echo "# $(uname -srm); $(date -u +%Y-%m-%d), make bench-onelock; seed $SEED"
    echo "onelock,held,live,ratio"
    cat $work/rows
} >$OUT/onelock-worth.csv
echo "onelock_worth: wrote $OUT/onelock-worth.csv"
