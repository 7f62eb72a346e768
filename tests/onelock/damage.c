/* damage.c -- onelock_check sees each kind of damage that it says it sees.
 *
 * A piece's header is the 16 bytes before its block: the size of a free piece
 * below, then the tag. */
/* link: linked */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "onelock/onelock.h"

enum { TAG = -1, BELOW = -2, NEXT = 0 };

static int nbad;

/* Write `value` to a word of the header, look, and put the old one back. */
static void damage(const char *what, size_t *block, int index, size_t value)
{
    size_t old = block[index];

    if (!onelock_check()) {
        printf("failed: the heap is wrong before: %s\n", what);
        nbad++;
    }
    block[index] = value;
    if (onelock_check()) {
        printf("failed: not seen: %s\n", what);
        nbad++;
    }
    block[index] = old;
}

int main(void)
{
    size_t *a = malloc(1000), *b = malloc(1000), *c = malloc(1000), *d = malloc(1000);

    if (a == NULL || b == NULL || c == NULL || d == NULL || b != a + 126 || c != b + 126)
        return printf("failed: the four blocks do not lie in a row\n"), 1;
    free(b);
    damage("a size that is too small", a, TAG, 16 | 3);
    damage("a live piece that says free", c, TAG, c[TAG] & ~(size_t)1);
    damage("a free piece that says live", b, TAG, b[TAG] | 1);
    damage("the piece above says live below", c, TAG, c[TAG] | 2);
    damage("the size at the upper end", c, BELOW, 992);
    damage("a bin that lost a piece", b, TAG, b[TAG] | 1);
    damage("a link backward", b, NEXT + 1, (size_t)a);
    free(a);
    free(c);
    free(d);
    printf("damage: %d not seen\n", nbad);
    return nbad != 0;
}
