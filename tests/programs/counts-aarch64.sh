# The same on aarch64: built by the cross compiler, run by qemu one instruction at a time.
# timeout: 240
. "$(dirname "$0")/common"
need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
need qemu-aarch64 qemu-user
need make
[ -f /usr/aarch64-linux-gnu/lib/libc.a ] || skip "libc for aarch64 is not installed (Debian package libc6-dev-arm64-cross)"
cross=aarch64-linux-gnu-gcc
make -s -C "$top" CC=$cross AR=aarch64-linux-gnu-gcc-ar OUT="$WORK/arm" "$WORK/arm/liblitmalloc.a" >build.log 2>&1 ||
    { tail -n 20 build.log; fail "does not build for aarch64"; }
$cross -std=gnu17 -O2 -fno-builtin -static "$top/tests/bench/step.c" \
    -Wl,--whole-archive arm/liblitmalloc.a -Wl,--no-whole-archive -o step 2>link.log || { cat link.log; fail "does not link"; }

# A line of the log is an instruction; `steps WHAT SIZE N` is the whole program's.
steps() { qemu-aarch64 -singlestep -d exec,nochain -D /dev/stdout ./step "$@" | grep -c '^Trace'; }
limit=43
for size in 16 64 1024; do
    with=$(($(steps pairs $size 3300) - $(steps pairs $size 3100)))
    loop=$(($(steps nothing $size 3300) - $(steps nothing $size 3100) - 2 * 200))
    counted=$(((with - loop) / 200))
    echo "malloc($size) and free: $counted instructions, at most $limit"
    [ $counted -gt 10 ] || fail "qemu's log does not show the instructions"
    [ $counted -le $limit ] || fail "malloc($size) and free take $counted instructions on aarch64, not $limit"
done
