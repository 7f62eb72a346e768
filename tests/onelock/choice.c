/* choice.c -- which piece is taken, and which neighbours join: the four cases of a free,
 * the best fit, growth into the piece above. */
/* link: linked */
#include "onelock/onelock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define demand(c) ((c) ? (void)0 : (printf("failed: line %d: %s\n", __LINE__, #c), exit(1)))

/* Blocks side by side; each size is a multiple of 16, less 8.  What comes out of a hole or
 * a new segment is left, and we begin again. */
static void row(char *p[], int n, const size_t size[])
{
    for (int i = 0, tries = 0; i < n; i++) {
        demand((p[i] = malloc(size[i])) != NULL);
        if (i > 0 && p[i] != p[i - 1] + size[i - 1] + 8) {
            demand(++tries < 1000);
            i = -1;
        }
    }
}

static void count(void *nfree, const void *piece, size_t size, bool live)
{
    (void)piece, (void)size;
    *(size_t *)nfree += !live;
}

static size_t free_pieces(void)
{
    size_t nfree = 0;
    demand(onelock_check());
    onelock_walk(count, &nfree);
    return nfree;
}

static void join_in_four_ways(void)
{
    char *p[9];
    const size_t n = 40008;
    row(p, 9, (size_t[]){ n, n, n, n, n, n, n, n, n });
    size_t before = free_pieces();
    free(p[1]);                         /* neither neighbour is free */
    demand(free_pieces() == before + 1);
    free(p[2]);                         /* the one beneath */
    demand(free_pieces() == before + 1);
    free(p[6]);                         /* neither */
    free(p[5]);                         /* the one above */
    demand(free_pieces() == before + 2);
    free(p[4]);
    free(p[3]);                         /* both */
    demand(free_pieces() == before + 1);
    demand(malloc(3 * n) == p[1]);      /* a piece of 6 * n + 48 is there, and fits best */
    free(p[1]);
    demand(free_pieces() == before + 1);
}

static void take_the_smallest_that_fits(void)
{
    char *p[8];
    row(p, 8, (size_t[]){ 65000, 9000, 60040, 9000, 60072, 9000, 69992, 9000 });
    for (int i = 6; i >= 0; i -= 2)
        free(p[i]);
    demand(malloc(60056) == p[4]);
    demand(malloc(60024) == p[2]);
    demand(free_pieces() >= 2);
}

static void grow_into_the_piece_above(void)
{
    char *p[4];
    row(p, 4, (size_t[]){ 30008, 30008, 30008, 30008 });
    memset(p[1], 7, 30008);
    free(p[2]);
    demand(realloc(p[1], 50000) == p[1]);
    demand(p[1][0] == 7 && p[1][30007] == 7);
    demand(realloc(p[1], 100) == p[1]);
    demand(p[1][99] == 7);
    free_pieces();
}

int main(void)
{
    join_in_four_ways();
    take_the_smallest_that_fits();
    grow_into_the_piece_above();
    return 0;
}
