# counts: a program whose calls are known leaves a trace with exactly these, on every allocator.
. "$(dirname "$0")/common"
program known <<'C'
#define _GNU_SOURCE
#include <malloc.h>
#include <stdlib.h>
#include <stdint.h>
void *kept[1000];
int main(void)
{
    void *p;
    for (int i = 0; i < 1000; i++) kept[i] = malloc(i);                 /* 1000 malloc */
    for (int i = 0; i < 300; i++) kept[i] = realloc(kept[i], 5000 + i); /* 300 realloc */
    for (int i = 0; i < 500; i++) free(calloc(i + 1, 16));              /* 500 calloc, 500 free */
    for (int i = 0; i < 50; i++) { posix_memalign(&p, 4096, i); free(p); }
    for (int i = 0; i < 50; i++) { free(aligned_alloc(64, 640)); free(memalign(256, 1)); }
    for (int i = 0; i < 10; i++) { free(valloc(1)); free(pvalloc(1)); }
    for (int i = 0; i < 990; i++) free(kept[i]);                        /* 10 blocks stay */
    free(NULL);                                                         /* leaves no mark */
    p = realloc(NULL, 100);                                             /* one more malloc */
    p = reallocarray(p, 10, 10);                                        /* one more realloc */
    free(p);
    if (malloc(SIZE_MAX / 4) || realloc(kept[995], PTRDIFF_MAX)) return 1;  /* 2 refused */
    return 0;
}
C
for a in $allocators; do
    rm -f ./*.lt*
    "$lit" record -a "$a" -o k.lt ./known 2>err || fail "known on $a: $(cat err)"
    own=$(baseline "$a" malloc)          # that of a library which the allocator needs
    demand k.lt malloc=$((1002 + own)) calloc=500 aligned=170 realloc=302 free=1661 failed=2 \
        lost=0 unknown=0 unseen=0 live_blocks=$((1001 + own)) threads=1
    [ "$own" -lt 4 ] && [ "$(ls k.lt* | wc -l)" = 1 ] || fail "more than one file: $(ls k.lt*)"
    [ "$own" != 0 ] || "$lit" replay k.lt | grep -q 'live at end  *9945 bytes in 10 blocks' || fail "$a: what lives at the end"
    "$lit" replay --check k.lt >/dev/null || fail "$a: --check"
done
