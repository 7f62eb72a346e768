# aarch64: the rooms' tests, the model and misuses on the other processor, emulated.
# qemu's pages are this machine's 4 KiB: larger ones need a machine that has them.
# timeout: 400
. "$(dirname "$0")/common"
need aarch64-linux-gnu-gcc gcc-aarch64-linux-gnu
need qemu-aarch64 qemu-user
CC_HERE=aarch64-linux-gnu-gcc AR_HERE=aarch64-linux-gnu-ar
echo 'int main(void) { return 0; }' >"$WORK/t.c"
$CC_HERE -static "$WORK/t.c" -o "$WORK/t" 2>/dev/null || skip "no C library for aarch64 (Debian package libc6-dev-arm64-cross)"
RUN=qemu-aarch64
rooms -O1 -DLIT_DEBUG=1
# The emulator does not pass on a limit on addresses, and has a word of its own to say
# when a program aborts.
export NOT="the_limit_on_addresses warning_returns_and_die_does_not"
# With FULL=1 all but malloc, whose test refuses all memory from the first instruction on,
# which the start of a static program does not survive, and pagemap, which is given half
# the window that its test expects.
units="bits sizeclass heap mutex pages base options report chunk decay tcache thread arena"
[ -z "${FULL:-}" ] || units=$(every_room | grep -v -e malloc -e pagemap)
unit -static -- $units
for model in random threads; do
    program tests/model/$model.c "$WORK/$model" -static $(whole)
    try "model/$model" "$WORK/$model"
done
misuses -static $(whole)
verdict
