#!/bin/sh
# cold.sh -- take the addresses and numbers of the walk through the house; see cold.c.
#
#   sh tests/bench/cold.sh
#
# Without randomization of addresses and linked at a fixed place, so that the same
# compiler gives the same numbers again.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${TANGLED:=tangled}" "${OUT:=figures/data}"
mkdir -p build/bench
$CC -std=gnu17 -O2 -no-pie -fno-builtin -pthread -iquote "$TANGLED" -o build/bench/cold \
    tests/bench/cold.c "$TANGLED"/*.c
LITMALLOC_CONF=randomize:false,narenas:8
export LITMALLOC_CONF
if setarch -R true 2>/dev/null; then exec setarch -R build/bench/cold "$OUT"; fi
exec build/bench/cold "$OUT"
