# clang: object code of large generated files, C and C++.
# timeout: 240
. "$(dirname "$0")/common"
need perl
need clang
perl "$here/big.pl" c 100 >big.c
perl "$here/big.pl" c++ 80 >big.cc

compile() {
    "$@" -w -c -o without.o
    under "$@" -w -c -o with.o
    same without.o with.o
}
compile clang -O2 -g big.c
loaded 'clang.*'
# The C++ headers may be missing: then C alone.
if echo '#include <vector>' | clang -x c++ -fsyntax-only - 2>/dev/null; then
    compile clang++ -O1 big.cc
else
    echo "no C++ headers for clang"
fi
