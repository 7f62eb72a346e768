# The traces that the chapter on the kernel prints are the lines of the files in figures/data,
# and its two programs do what they are said to do, with and without the library.
. "$(dirname "$0")/common"
need gcc

sh "$top/tests/bench/kernel-strace.sh" check || fail "the chapter and figures/data/kernel-strace-*.txt differ"
for name in bar three; do
    sh "$top/tests/languages/extract" "$top/src.nw/02-kernel.nw" $name.c >$name.c
    gcc -std=gnu17 -O1 -fno-builtin -Wall -Wextra -Wpedantic -Werror $name.c -o $name
    both $name ./$name
done
[ "$(wc -l <three.with)" = 4 ] || fail "three did not print four lines"
loaded bar three
