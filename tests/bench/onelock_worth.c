/* onelock_worth.c -- how much memory the one-lock allocator holds for one made-up
 * program; tests/bench/onelock_worth.sh takes an idea out of it and asks again.
 *
 *   onelock_worth NAME SEED        prints NAME,held,live,ratio  (MiB)
 *
 * 20 000 blocks live, exchanged half a million times, one at random each time; the sizes
 * grow on the way, so that holes of old sizes have to do for new ones. */
#include "onelock/onelock.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

enum { NBLOCKS = 20000, NEXCHANGES = 500000 };

static uint64_t state;

static uint64_t draw(void)              /* xorshift64* */
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1d >> 16;
}

static size_t draw_size(size_t least)   /* up to 64 times least; as many of each doubling */
{
    size_t floor = least << draw() % 6;
    return floor + draw() % floor;
}

int main(int argc, char *argv[])
{
    static void *block[NBLOCKS];
    static size_t size[NBLOCKS];
    struct onelock_counts counts;
    double live = 0, mib = 1 << 20;

    if (argc != 3) {
        fprintf(stderr, "usage: onelock_worth NAME SEED\n");
        return 2;
    }
    state = strtoull(argv[2], NULL, 10) | 1;
    for (int i = 0; i < NBLOCKS; i++)
        block[i] = malloc(size[i] = draw_size(24));
    for (int i = 0; i < NEXCHANGES; i++) {
        size_t k = draw() % NBLOCKS;
        free(block[k]);
        block[k] = malloc(size[k] = draw_size(24 + (size_t)i / 25000));
        if (block[k] == NULL) {
            fprintf(stderr, "onelock_worth: no memory\n");
            return 1;
        }
    }
    for (int i = 0; i < NBLOCKS; i++)
        live += (double)size[i];
    onelock_count(&counts);
    printf("%s,%.1f,%.1f,%.2f\n", argv[1], (double)counts.held / mib, live / mib,
           (double)counts.held / live);
    return 0;
}
