#!/bin/sh
# tests/stress/prove.sh -- the quick form of make prove: every proof within smaller bounds,
# and every fault that it must find.
# timeout: 600

for tool in python3 spin z3; do
    command -v $tool >/dev/null 2>&1 || { echo "$tool is missing; it comes with Debian's package $tool"; exit 77; }
done
exec python3 tests/prove/prove.py --quick --jobs "${JOBS:-2}"
