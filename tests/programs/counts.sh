# The usual path of malloc and free, counted instruction by instruction; gcc on x86-64.
# What clang or another gcc makes of the same source is another number, so there it is skipped.
. "$(dirname "$0")/common"
[ "$(uname -m)" = x86_64 ] || skip "the limits are those of x86-64, this is $(uname -m)"
need readelf binutils
need objdump binutils
compiler=$(readelf -p .comment "$LIB" | sed -n 's/.*GCC: /gcc /p' | head -n 1)
[ -n "$compiler" ] || skip "$LIB was not compiled by gcc"
! readelf -p .comment "$LIB" | grep -q clang || skip "$LIB was compiled by clang"
"$CC" -std=gnu17 -O2 -fno-builtin "$top/tests/bench/step.c" -o step

at_most() {     # at_most LIMIT SIZE: that many for a pair of malloc(SIZE) and free
    status=0; counted=$(LD_PRELOAD="$LIB" ./step "$2") || status=$?
    [ $status != 77 ] || skip "this system does not let one process step another (ptrace)"
    [ $status = 0 ] || fail "step $2: exit status $status"
    echo "malloc($2) and free: $counted instructions, at most $1"
    awk "BEGIN { exit !($counted > 10 && $counted <= $1) }" || fail "malloc($2) and free take $counted instructions, not $1"
}
at_most 30 16
at_most 30 64
at_most 30 1024
at_most 70 16384

# That the stepper counts: glibc's pair is several times as long, and always was.
glibc=$(./step 64)
echo "glibc: $glibc"
awk "BEGIN { exit !($glibc > 40) }" || fail "step counts $glibc for glibc"

# The listing in the book is this compiler's, if it is the same compiler.
listed=$top/figures/data/listing.csv
if grep -qF "; $compiler" "$listed"; then
    for f in malloc free; do
        n=$(objdump -d --no-show-raw-insn "$LIB" | awk -v f="<$f>:" '
            index($0, f) { inside = 1; next }
            inside && /^ *[0-9a-f]+:/ { n++; if ($2 == "ret") { print n; exit } }')
        book=$(awk -F, -v f=$f '$1 == f { print $2 }' "$listed")
        [ "$n" = "$book" ] || fail "$f has $n instructions to its first ret, the book lists $book: run figures/listing.sh"
        echo "$f: $n instructions, as the book lists"
    done
fi
