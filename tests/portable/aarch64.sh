# aarch64: the rooms' tests, the model and misuses on the other processor, emulated.
# qemu's pages are this machine's 4 KiB: larger ones need a machine that has them.  Nor
# does it reorder memory as that processor may: it runs on this one.
# timeout: 900
. "$(dirname "$0")/common"
need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
need qemu-aarch64 qemu-user
CC_HERE=aarch64-linux-gnu-gcc AR_HERE=aarch64-linux-gnu-ar
root=/usr/aarch64-linux-gnu
[ -e $root/lib/ld-linux-aarch64.so.1 ] || skip "no C library for aarch64 (Debian package libc6-dev-arm64-cross)"

# A thread begun in the child of a process with threads: qemu 7.2 ends with an assertion
# of its own, without any library of ours.
program tests/portable/forked_thread.c "$WORK/forked_thread" -static
if ! qemu-aarch64 "$WORK/forked_thread" >"$WORK/log" 2>&1; then
    why="the emulator cannot begin a thread in the child of a process with threads: $(
        sed -n 's/.*\(assertion failed.*\)/\1/p' "$WORK/log" | head -n 1)"
    export NOT="the_child_of_a_fork_can_allocate" NOT_WHY="$why"
fi

# malloc's test refuses all memory from the first instruction on, which the start of a
# static program does not survive: glibc's own, which allocates its list of folders.
part "aarch64: unit tests"
rooms -O1 -DLIT_DEBUG=1
RUN=qemu-aarch64
unit -static -- $(every_room | grep -vx malloc)
RUN="qemu-aarch64 -L $root"
unit -- malloc
part "aarch64: model"
RUN=qemu-aarch64
model static -static $(whole) -- random threads

# What is shipped: optimized, and preloaded.
part "aarch64: preloaded"
rooms -O3 -fomit-frame-pointer
preloadable
RUN="qemu-aarch64 -L $root -E LD_PRELOAD=$WORK/liblitmalloc.so"
program tests/portable/whose.c "$WORK/whose"
try whose-preload "$WORK/whose"
if [ -n "$SHORT" ]; then
    model preload -- random
    part "aarch64: misuse"
    misuse preload -- $FEW_MISUSES free_sized_wrong_small harden_double_free harden_overflow_page sample_use_after_free
else
    model preload -- random threads hardened_random hardened_threads nomem
    part "aarch64: misuse"
    misuse preload -- $(every_misuse)
fi
verdict
