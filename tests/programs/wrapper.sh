# wrapper: build/litmalloc passes every argument, exit status and answer on.
. "$(dirname "$0")/common"
wrapper=$top/build/litmalloc
[ -x "$wrapper" ] || skip "build/litmalloc is not built (make)"
[ "$("$wrapper" --library)" = "$LIB" ] || skip "the wrapper is for another library"

[ "$("$wrapper" printf '<%s>' a 'b c' '' '@' '*')" = '<a><b c><><@><*>' ] || fail "arguments change"
status=0; "$wrapper" sh -c 'exit 7' || status=$?
[ "$status" = 7 ] || fail "exit status 7 became $status"
"$wrapper" sh -c 'grep -q liblitmalloc /proc/$$/maps' || fail "the program does not map the library"
[ "$(LD_PRELOAD=/nowhere.so "$wrapper" sh -c 'echo "$LD_PRELOAD"' 2>/dev/null)" = "$LIB:/nowhere.so" ] ||
    fail "LD_PRELOAD is not kept"
status=0; "$wrapper" 2>err || status=$?
[ "$status" = 2 ] && grep -q 'which program' err || fail "no program: status $status"

# What it says about itself is what the library says.
cat >v.c <<'C'
#include <stdio.h>
#include "litmalloc.h"
int main(void) { printf("litmalloc %s\n", lit_version()); return 0; }
C
"$CC" -iquote "$top/tangled" v.c -o v "$LIB"
[ "$("$wrapper" --version)" = "$(LD_LIBRARY_PATH=$(dirname "$LIB") ./v)" ] || fail "two versions"
echo "wrapper: arguments, status, preload, version"
