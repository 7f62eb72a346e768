#!/bin/sh
# listing.sh [malloc.o] -- the usual paths of malloc and free as compiled, for the
# chapter on the door.  Writes figures/data/listing.txt (the instructions up to the
# first ret) and figures/data/listing.csv (how many, and how many bytes).
#
# x86-64 only.  The object is that of `make`: build/obj/malloc.o.
set -eu
cd "$(dirname "$0")/.."
object=${1:-build/obj/malloc.o}
compiler=$(readelf -p .comment "$object" | sed -n 's/.*GCC: /gcc /p' | head -n 1)

listing() {
    objdump -dr --no-show-raw-insn "$object" | awk -v f="$1" '
    function flush_line() { if (text != "") printf "%2d  %s\n", ++n, text; text = "" }
    index($0, "<" f ">:")  { inside = 1; next }
    !inside                { next }
    /R_X86_64_/ {           # a name for the zero in the instruction before
        name = $3; sub(/-0x[0-9a-f]*$/, "", name)
        if ($2 ~ /GOTTPOFF/) name = name "@gottpoff"
        sub(/0x0\(%rip\)/, name "(%rip)", text)
        next
    }
    /^ *[0-9a-f]+:/ {
        flush_line()
        sub(/^ *[0-9a-f]+:[ \t]*/, ""); sub(/[ \t]*#.*/, ""); sub(/[ \t]+$/, "")
        op = $1; arg = $2
        if (op ~ /^j/) { arg = $3; gsub(/[<>]/, "", arg) }
        text = sprintf("%-7s %s", op, arg); sub(/ +$/, "", text)
        if (op == "ret") { flush_line(); exit }
    }'
}

bytes() {   # from the first instruction to the ret, that included
    objdump -d --no-show-raw-insn "$object" | awk -v f="$1" '
    index($0, "<" f ">:") { inside = 1; next }
    inside && /^ *[0-9a-f]+:/ { a = $1; sub(":", "", a); if (first == "") first = a
        if ($2 == "ret") { print first, a; exit } }' | {
        read -r from to; echo $((0x$to - 0x$from + 1)); }
}

{
    echo "# figures/listing.sh; $compiler"
    echo "function,instructions,bytes"
    for f in malloc free; do echo "$f,$(listing $f | wc -l),$(bytes $f)"; done
} > figures/data/listing.csv
{
    for f in malloc free; do echo "$f:"; listing $f; done
} > figures/data/listing.txt
cat figures/data/listing.csv
