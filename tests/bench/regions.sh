#!/bin/sh
# regions.sh -- the addresses of a running process, and what compilers make of the
# listings in the chapter on two regions of memory.
#
#   sh tests/bench/regions.sh            (or make bench-regions)
#
# Writes figures/data/regions.csv, -maps, -frames, -calls and -misuse.  The library that
# is asked about misuse is build/liblitmalloc.so.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${CXX:=c++}" "${RUSTC:=/usr/bin/rustc}" "${OUT:=figures/data}"
for tool in setarch "$CC" "$CXX" "$RUSTC"; do
    command -v "$tool" >/dev/null || { echo "regions.sh: $tool is missing (Debian packages util-linux gcc g++ rustc)" >&2; exit 1; }
done
[ -f build/liblitmalloc.so ] || { echo "regions.sh: run make first" >&2; exit 1; }
build=build/bench/regions
mkdir -p "$build"
listing() { sh tests/languages/extract src.nw/01-regions.nw "$1" >"$build/$1"; }

# ---- addresses
$CC -std=gnu17 -O0 -fno-omit-frame-pointer -Wall -Wextra -o "$build/regions" tests/bench/regions.c
env -i PATH=/usr/bin setarch -R "$build/regions" "$OUT"

# ---- calls that the compilers emit
remark="# tests/bench/regions.sh; $($CC --version | sed 1q); $($RUSTC --version)"
# emitted FILE PATTERN: the names called in the assembler of FILE's own functions, shortened.
emitted() {
    grep -Eo '(call|callq|jmp|jmpq)[[:space:]]+\*?[A-Za-z_][A-Za-z0-9_.$]*' "$1" |
        sed -E 's/.*[[:space:]]\*?//; s/@.*//' | grep -E "^($2)" | sort | uniq -c |
        awk '{ printf "%s%s", n++ ? " + " : "", $2 } END { if (!n) printf "none" }'
}
row() {         # row LANGUAGE FILE OPTIONS COMMAND...
    language=$1 file=$2 options=$3
    shift 3
    listing "$file"
    "$@" $options "$build/$file" -o "$build/$file.s"
    echo "$language,$file,$options,$(emitted "$build/$file.s" 'malloc|calloc|free$|_Zn[wa]m|_Zd[la]Pvm?|__rust_(alloc|dealloc)')"
}
{
    echo "$remark"
    echo "language,listing,options,calls"
    for o in -O0 -O2; do row C four.c $o $CC -std=gnu17 -S; done
    for o in -O0 -O2; do row C++ four.cc $o $CXX -std=c++17 -S; done
    row Rust four.rs -Copt-level=0 $RUSTC --emit=asm -Ccodegen-units=1
    row Rust four.rs -Copt-level=2 $RUSTC --emit=asm -Ccodegen-units=1
} >"$OUT/regions-calls.csv.new"
mv "$OUT/regions-calls.csv.new" "$OUT/regions-calls.csv"

# ---- where a string keeps itself and its letters
strings() {     # strings LANGUAGE COMMAND: the program prints: text bytes object letters
    env -i setarch -R "$2" | sed "s/^/$1,/; s/ /,/g" | while IFS=, read -r language text bytes object letters; do
        case $letters in
        0x7ff*) where=stack ;;
        *) where=heap ;;
        esac
        echo "$language,$text,$bytes,$object,$letters,$where"
    done
}
{
    echo "$remark"
    echo "language,text,bytes,object,letters,letters_in"
    listing string.cc; $CXX -std=c++17 -O1 -o "$build/string-cc" "$build/string.cc"
    listing string.rs; $RUSTC -O -o "$build/string-rs" "$build/string.rs"
    strings C++ "$build/string-cc"
    strings Rust "$build/string-rs"
} >"$OUT/regions-strings.csv.new"
mv "$OUT/regions-strings.csv.new" "$OUT/regions-strings.csv"

# ---- what is said of a block freed twice, of one freed in the middle, and of one used after
says() {        # says LIBRARY PROGRAM: the first line on fd 2, addresses taken out, or the exit status
    status=0
    env -i LITMALLOC_CONF=randomize:false ${1:+LD_PRELOAD=$1} sh -c '"$1" 2>&1 >/dev/null; exit $?' sh "$2" >"$build/said" 2>/dev/null || status=$?
    line=$(sed -n 's/, /; /g; s/^[^ ]*: error: //; /Aborted/d; p; q' "$build/said" | sed 's/,/;/g; s/0x[0-9a-f]*/P/g')
    echo "${line:-nothing (exit status $status)}"
}
{
    echo "# tests/bench/regions.sh; glibc $(getconf GNU_LIBC_VERSION | cut -d' ' -f2)"
    echo "mistake,glibc,litmalloc"
    for mistake in twice inside stale; do
        listing "$mistake.c"
        $CC -std=gnu17 -O0 -fno-builtin -w -o "$build/$mistake" "$build/$mistake.c"
        echo "$mistake,$(says '' "$build/$mistake"),$(says "$PWD/build/liblitmalloc.so" "$PWD/$build/$mistake")"
    done
} >"$OUT/regions-misuse.csv.new"
mv "$OUT/regions-misuse.csv.new" "$OUT/regions-misuse.csv"
head -n 40 "$OUT"/regions*.csv

# The drawings have the addresses in them: say which are no longer true.
for figure in figures/regions-space.tex figures/regions-frames.tex; do
    for address in $(grep -Eo '0x[0-9a-f]{6,}' "$figure"); do
        grep -q "$address" "$OUT"/regions*.csv || echo "regions.sh: $figure: $address is not in the data any more" >&2
    done
done
