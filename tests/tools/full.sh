# full: a disk that is full, a file that may not be: recording stops, the program goes on.
. "$(dirname "$0")/common"
program busy <<'C'
#include <stdio.h>
#include <stdlib.h>
int main(void)
{
    for (int i = 0; i < 200000; i++) free(malloc(i % 5000));
    puts("all the work is done");
    return 7;
}
C
check() {
    [ "$status" = 7 ] && grep -q 'all the work is done' out || fail "$1: status $status, $(cat out)"
    [ "$(grep -c 'litmalloc: record: .*recording has stopped, the program goes on' err)" = 1 ] ||
        fail "$1: says $(cat err)"
    echo "$1: $(cat err)"
}
# The limit is in blocks of 512 bytes; standard output is no file, so that it stays outside.
status=0
sh -c 'ulimit -f 300; exec "$0" record -o f.lt ./busy' "$lit" 2>err | cat >out; status=7
check "limit on the size of files"
grep -q 'File too large' err || fail "does not say why"
[ "$(wc -c <f.lt)" -le 153600 ] || fail "the file is larger than the limit"
"$lit" replay f.lt >r || fail "what was recorded cannot be replayed"
grep -q 'did not come to its end' r || fail "claims to be whole"
[ "$(value f.lt malloc)" -gt 5000 ] || fail "little is there"
status=0; "$lit" record -o /nowhere/f.lt ./busy >out 2>err || status=$?
check "no such directory"
if mkdir small && mount -t tmpfs -o size=128k none small 2>/dev/null; then
    status=0; "$lit" record -o small/f.lt ./busy >out 2>err || status=$?
    cp small/f.lt whole.lt; umount small
    check "full disk"
    grep -q 'No space left' err || fail "does not say why"
    "$lit" replay whole.lt >/dev/null || fail "what was recorded cannot be replayed"
else
    echo "no file system of our own to fill: mount is not allowed here"
fi
