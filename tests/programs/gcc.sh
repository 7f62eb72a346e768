# gcc and g++: assembler and object code of large generated files, and of the library itself.
# timeout: 240
. "$(dirname "$0")/common"
need perl
need gcc
need g++
perl "$here/big.pl" c 130 >big.c
perl "$here/big.pl" c++ 160 >big.cc
wc -l big.c big.cc

compile() {       # compile COMPILER OPTIONS FILE: without and with, the object code must be the same
    "$@" -w -c -o without.o
    under "$@" -w -c -o with.o
    same without.o with.o
}
compile gcc -O2 -g big.c
loaded cc1 as
compile g++ -O1 big.cc
loaded cc1plus
for f in "$top"/tangled/*.c; do
    [ -f "$f" ] || continue
    [ "${f##*/}" = malloc.c ] || [ "${f##*/}" = arena.c ] || continue
    compile gcc -O2 -iquote "$top/tangled" -D_GNU_SOURCE "$f"
done
# The link, by ld and with link-time optimisation, which runs in several processes.
perl "$here/big.pl" c 60 >small.c
gcc -w -O1 -flto=2 small.c -o without -Wl,--build-id=none
under gcc -w -O1 -flto=2 small.c -o with -Wl,--build-id=none
same without with
loaded lto1 'collect2' 'ld\(\.bfd\)\{0,1\}'
