#!/bin/sh
# kernel-strace.sh [check] -- the system calls of two small programs on three allocators.
#
#   make bench-kernel            traces anew, after the costs
#   sh tests/bench/kernel-strace.sh check
#
# Takes the programs bar.c and three.c from the chapter on the kernel, runs them under
# strace on glibc's malloc, jemalloc and ours, and writes
#   figures/data/kernel-strace-PROGRAM-ALLOCATOR.txt   a call a line, numbered, at most 78 columns
#   figures/data/kernel-strace.csv                     how many calls of which kind
#   figures/data/kernel-jemalloc.csv                   what jemalloc says it has mapped
# Then it puts the lines into the chapter's blocks that begin "# FILE.txt FROM-TO".
# With `check` it traces nothing and says whether those blocks are what the files say.
set -eu
cd "$(dirname "$0")/../.."
: "${CC:=cc}" "${OUT:=figures/data}" "${CHAPTER:=src.nw/02-kernel.nw}"
: "${JEMALLOC:=libjemalloc.so.2}"

refill() {      # the chapter with each block's lines taken from its file
    awk -v out="$OUT" '
    /^```/ && !fence { fence = 1; first = 1; print; next }
    /^```/           { fence = filled = 0; print; next }
    fence && first   { first = 0
                       if ($0 ~ /^# kernel-strace-[a-z-]+\.txt [0-9]+-[0-9]+$/) {
                           print; filled = 1
                           file = out "/" $2; split($3, part, "-"); number = 0
                           while ((getline line <file) > 0) {
                               if (match(line, /^ *[0-9]+  /)) number = line + 0
                               if (number >= part[1] && number <= part[2]) print line
                           }
                           close(file); next
                       } }
    !filled          { print }' "$CHAPTER"
}

if [ "${1-}" = check ]; then
    refill | diff "$CHAPTER" - && { echo "kernel-strace: the chapter shows what is in $OUT"; exit 0; }
    echo "kernel-strace: run sh tests/bench/kernel-strace.sh refill" >&2; exit 1
fi

build=$PWD/build/bench/kernel
mkdir -p "$build"
trace() {       # trace PROGRAM ALLOCATOR LIBRARY SETTING
    (cd "$build" && env -i ${4:+"$4"} setarch -R strace -s 8 -o trace ${3:+-E LD_PRELOAD="$3"} "./$1") |
        cat >/dev/null
    # What differs from run to run or says nothing: the process number, random bytes, errors spelt out.
    sed -E -e '/^\+\+\+/d' -e 's/^(set_tid_address.*= )[0-9]+/\1PID/' \
        -e 's/^(getrandom\()"[^"]*"/\1"..."/' -e 's/ \([A-Z][a-z ]*\)$//' -e 's/\) +=/) =/' \
        -e 's/0x[0-9a-f]+( \/\* [0-9] vars?)/P\1/' "$build/trace" |
    awk '{ line = sprintf("%2d  %s", NR, $0)
           while (length(line) > 78) {
               for (cut = 78; cut > 20 && (substr(line, cut, 1) !~ /[ |]/ ||
                                            substr(line, cut - 1, 1) == "="); cut--) ;
               print substr(line, 1, substr(line, cut, 1) == " " ? cut - 1 : cut)
               line = "        " substr(line, cut + 1)
           }
           print line }' >"$OUT/kernel-strace-$1-$2.txt"
    # The loader is done when it has unmapped its cache; the end is exit_group.
    awk -v p="$1" -v a="$2" '
        { call = $0; sub(/\(.*/, "", call) }
        /ld.so.cache/              { want = 1 }
        /^execve/                  { next }
        done && !/^exit_group/     { after++; n[call]++; if (call == "mmap") { split($0, f, ", "); bytes += f[2] } }
        !done                      { loader++ }
        want && /^munmap/          { done = 1 }
        END { printf "%s,%s,%d,%d,%d,%d,%d,%d,%d,%d\n", p, a, loader, after, n["brk"], n["mmap"],
              n["munmap"], n["mprotect"], n["madvise"], bytes / 1024 }' "$build/trace" >>"$build/table"
}

if [ "${1-}" != refill ]; then
    for tool in strace setarch; do
        command -v $tool >/dev/null || { echo "kernel-strace.sh: $tool is missing (Debian packages strace util-linux)" >&2; exit 1; }
    done
    [ -f build/liblitmalloc.so ] || { echo "kernel-strace.sh: run make first" >&2; exit 1; }
    LD_PRELOAD=$JEMALLOC true 2>&1 | grep -q . && { echo "kernel-strace.sh: $JEMALLOC is missing (Debian package libjemalloc2)" >&2; exit 1; }
    : >"$build/table"
    cp build/liblitmalloc.so "$build/"
    for program in bar three; do
        sh tests/languages/extract "$CHAPTER" $program.c >"$build/$program.c"
        $CC -std=gnu17 -O1 -fno-builtin -o "$build/$program" "$build/$program.c"
        trace $program glibc ''
        trace $program jemalloc "$JEMALLOC"
        trace $program litmalloc ./liblitmalloc.so LITMALLOC_CONF=randomize:false
    done
    {
        echo "# tests/bench/kernel-strace.sh; glibc $(getconf GNU_LIBC_VERSION | cut -d' ' -f2), Linux $(uname -r | cut -d. -f1,2), $(uname -m)"
        echo "program,allocator,loader,after,brk,mmap,munmap,mprotect,madvise,KiB"
        cat "$build/table"
    } >"$OUT/kernel-strace.csv"
    {
        echo "# tests/bench/kernel-strace.sh; MALLOC_CONF=stats_print:true"
        echo "what,bytes"
        LD_PRELOAD=$JEMALLOC MALLOC_CONF=stats_print:true "$build/bar" 2>&1 |
            awk '/^(base|mapped|retained|active):/ { sub(":", "", $1); print $1 "," $2 }'
    } >"$OUT/kernel-jemalloc.csv"
    cat "$OUT/kernel-strace.csv" "$OUT/kernel-jemalloc.csv"
fi
refill >"$build/chapter" && { cmp -s "$build/chapter" "$CHAPTER" || cat "$build/chapter" >"$CHAPTER"; }
