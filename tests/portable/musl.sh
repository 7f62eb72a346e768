# musl: the rooms' tests on another C library, static; then preloaded under a program.
# timeout: 900
. "$(dirname "$0")/common"
need musl-gcc musl-tools
# The kernel's headers are not where musl-gcc looks.
CC_HERE="musl-gcc -idirafter /usr/include -idirafter /usr/include/$(uname -m)-linux-gnu" AR_HERE=ar
part "musl static: unit tests"
rooms -O1 -DLIT_DEBUG=1
leave_out unit/malloc "it asks what only the GNU C library has names for: mallinfo2, M_ARENA_MAX"
unit -static -- $(every_room | grep -vx malloc)
part "musl static: model"
model static -static $(whole) -- random threads
part "musl static: misuse"
misuse static -static $(whole) -- $FEW_MISUSES

# The library with musl under a program that was linked without it.
part "musl: preloaded"
rooms -O2
preloadable
program tests/portable/whose.c "$WORK/whose"
RUN="env LD_PRELOAD=$WORK/liblitmalloc.so"
try whose-preload "$WORK/whose"
if [ -n "$SHORT" ]; then
    model preload -- threads
    part "musl: misuse"
    misuse preload -- free_sized_wrong_small harden_double_free sample_double_free
else
    model preload "$WORK/liblitmalloc.so" -- random threads hardened_random hardened_threads nomem
    part "musl: misuse"
    leave_out abuse/free_other_malloc "musl has no dlmopen, with which to have a second C library"
    misuse preload "$WORK/liblitmalloc.so" -- $(every_misuse | grep -vx free_other_malloc)
fi
verdict
