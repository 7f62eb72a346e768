# api: what tests/api demands of the allocation calls, of the one-lock allocator.
# timeout: 300
#
# Left out: symbols.c and statistics.c, which ask for what only liblitmalloc has, and
# one test of allocate.c: a block of one byte has 24 usable here, as in glibc.
set -eu
cd "$(dirname "$0")/../.."
API_SKIP=usable_size_is_at_most_a_quarter_more LIB="$LIB" TEST_OUT=build/tests/onelock/api JOBS=1 sh tests/run tests/api/allocate.c \
    tests/api/aligned.c tests/api/realloc.c tests/api/free.c tests/api/containers.cc
