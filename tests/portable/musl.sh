# musl: the rooms' tests on another C library, static; then preloaded under a program.
# timeout: 300
. "$(dirname "$0")/common"
need musl-gcc musl-tools
# The kernel's headers are not where musl-gcc looks.
CC_HERE="musl-gcc -idirafter /usr/include -idirafter /usr/include/$(uname -m)-linux-gnu" AR_HERE=ar
rooms -O1 -DLIT_DEBUG=1
unit -static -- bits sizeclass heap mutex pages base options pagemap pageheap arena tcache thread
program tests/model/random.c "$WORK/random" -static $(whole)
try model/random-static "$WORK/random"
program tests/model/threads.c "$WORK/threads" -static $(whole)
try model/threads-static "$WORK/threads"
misuses -static $(whole)

# The library with musl under a program that was linked without it.
rooms -O2
preloadable
program tests/model/threads.c "$WORK/plain"
RUN="env LD_PRELOAD=$WORK/liblitmalloc.so"
try model/threads-preload "$WORK/plain"
program tests/portable/whose.c "$WORK/whose"
try whose-preload "$WORK/whose"
verdict
