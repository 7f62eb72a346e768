# static: a program with the GNU C library in itself, and forks while threads allocate.
# timeout: 900
. "$(dirname "$0")/common"
CC_HERE=$CC AR_HERE=ar
echo 'int main(void) { return 0; }' >"$WORK/t.c"
$CC -static "$WORK/t.c" -o "$WORK/t" 2>/dev/null || skip "no static C library (Debian package libc6-dev)"
part "glibc static: forks and threads"
rooms -O2
files="tests/portable/whose.c tests/stress/handover.c"
[ -n "$SHORT" ] || files="$files tests/stress/fork_storm.c"
for file in $files; do
    name=$(basename $file .c)
    program $file "$WORK/$name" -static $(whole)
    try "$name" "$WORK/$name"
done
part "glibc static: model"
model static -static $(whole) -- random threads
part "glibc static: misuse"
misuse static -static $(whole) -- $FEW_MISUSES
verdict
