# static: a program with the GNU C library in itself, and forks while threads allocate.
# timeout: 200
. "$(dirname "$0")/common"
CC_HERE=$CC AR_HERE=ar
echo 'int main(void) { return 0; }' >"$WORK/t.c"
$CC -static "$WORK/t.c" -o "$WORK/t" 2>/dev/null || skip "no static C library (Debian package libc6-dev)"
rooms -O2
for file in tests/portable/whose.c tests/model/random.c tests/model/threads.c tests/stress/fork_storm.c tests/stress/handover.c; do
    name=$(basename $file .c)
    program $file "$WORK/$name" -static $(whole)
    try "$name" "$WORK/$name"
done
misuses -static $(whole)
verdict
