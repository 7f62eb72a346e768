# The listings in other languages that the first chapter shows: C, C++, Rust and Python.
# Each is taken out of the chapter, built, and must print the same with and without the
# library; those that a compiler must refuse are refused for the reason the chapter names.
# timeout: 240
. "$(dirname "$0")/common"
need gcc
need g++
need python3
need perl
RUSTC=/usr/bin/rustc
[ -x "$RUSTC" ] || skip "rustc is not installed (Debian package rustc)"

chapter=$top/src.nw/01-regions.nw
listing() { sh "$top/tests/languages/extract" "$chapter" "$1" >"$1" || fail "the chapter has no listing $1"; }

for name in four.c ways.c scope.c; do
    listing $name
    gcc -std=gnu17 -O1 -fno-builtin -Wall -Wextra -Wpedantic -Werror $name -o ${name%.c}-c
done
for name in four.cc scope.cc string.cc; do
    listing $name
    g++ -std=c++17 -O1 -Wall -Wextra -Wpedantic -Werror $name -o ${name%.cc}-cc
done
for name in four.rs scope.rs string.rs; do
    listing $name
    "$RUSTC" -O -D warnings $name -o ${name%.rs}-rs
done

for name in four-c four-cc four-rs scope-c scope-cc scope-rs ways-c; do both $name ./$name; done
same four-c.with four-cc.with           # one task, three languages
same four-c.with four-rs.with
same scope-c.with scope-cc.with
same scope-c.with scope-rs.with

# Where the letters are: on the stack only where C++ keeps a short text in the object.
cat >expected-cc <<'X'
hello 32 near
sixteen_letters_ 32 far
X
cat >expected-rs <<'X'
hello 24 far
X
places() {      # places PROGRAM: an object on the stack; are its letters within it?
    "$1" | perl -lane 'print "$F[0] $F[1] ", hex($F[3]) - hex($F[2]) < $F[1] && hex($F[3]) >= hex($F[2]) ? "near" : "far"'
}
for name in cc rs; do
    places ./string-$name >string-$name.places
    same expected-$name string-$name.places
done

listing cycle.py
both cycle python3 cycle.py
grep -q '^collected [1-9]' cycle.with || fail "the collector found no cycle"

refused() {     # refused FILE CODE: rustc must not compile it, and must say CODE
    listing "$1"
    if "$RUSTC" "$1" -o refused >refused.log 2>&1; then fail "$1 was compiled"; fi
    grep -q "^error\[$2\]" refused.log || { cat refused.log; fail "$1: not $2"; }
    echo "$1: refused, $2"
}
refused gone.rs E0382
refused outlived.rs E0597

for name in twice inside; do
    listing $name.c
    gcc -std=gnu17 -O0 -fno-builtin -w $name.c -o $name
    status=0
    under ./$name >$name.said 2>&1 || status=$?
    [ $status = 134 ] || fail "$name: exit status $status, not an abort"
    grep -q '^litmalloc: ' $name.said || fail "$name: no message"
    cat $name.said
done
loaded four-c four-cc four-rs
