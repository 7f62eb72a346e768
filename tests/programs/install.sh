# install: what make install puts into an empty directory serves a program.
. "$(dirname "$0")/common"
need pkg-config
need pandoc

make -s -C "$top" install DESTDIR="$WORK/stage" PREFIX=/usr >log 2>&1 || fail "make install: $(tail -n 1 log)"
for f in bin/litmalloc include/litmalloc.h lib/liblitmalloc.so lib/liblitmalloc.a \
    lib/pkgconfig/litmalloc.pc share/man/man1/litmalloc.1 share/man/man3/litmalloc.3; do
    [ -s "stage/usr/$f" ] || fail "there is no $f"
done
grep -q decay_ms stage/usr/share/man/man1/litmalloc.1 || fail "the manual knows no options"

cat >p.c <<'C'
#include <litmalloc.h>
#include <stdlib.h>
int main(void) { void *p = malloc(100); lit_report(1); free(p); return p == NULL; }
C
flags=$(PKG_CONFIG_PATH=stage/usr/lib/pkgconfig pkg-config --define-variable=libdir="$WORK/stage/usr/lib" \
    --define-variable=includedir="$WORK/stage/usr/include" --cflags --libs litmalloc)
# shellcheck disable=SC2086
"$CC" p.c $flags -o p
LD_LIBRARY_PATH=stage/usr/lib ./p | grep -q 'litmalloc: the heap' || fail "the program does not run on it"
"$CC" -static p.c -Istage/usr/include -Wl,--whole-archive stage/usr/lib/liblitmalloc.a -Wl,--no-whole-archive \
    -o static 2>/dev/null || fail "a static program does not link"
./static | grep -q 'litmalloc: the heap' || fail "the static program does not run on it"
make -s -C "$top" uninstall DESTDIR="$WORK/stage" PREFIX=/usr >>log 2>&1
[ -z "$(find stage -name '*litmalloc*')" ] || fail "uninstall leaves $(find stage -name '*litmalloc*' | head -n 1)"
echo "install: files, pkg-config, static, uninstall"
