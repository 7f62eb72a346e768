/* handover.c -- a chain of threads: each takes all blocks of the one before,
 * frees half, replaces them, hands on and ends.  Only the blocks in the chain
 * are live, so memory must stay near their size. */
#include "stress.h"

enum { NTHREADS = 64, NBLOCKS = 4000, MOST = 2000 };

static struct { void *p; size_t n; } chain[NBLOCKS];
static uint64_t first_seed;

static void *link_of_chain(void *argument)
{
    uint64_t state = first_seed + (uintptr_t)argument;
    for (int i = 0; i < NBLOCKS; i++) {
        if (chain[i].p != NULL)
            tag_check(chain[i].p, chain[i].n, (unsigned char)i);
        if (chain[i].p == NULL || draw(&state) % 2 == 0) {
            free(chain[i].p);
            chain[i].n = draw_size(&state, MOST);
            chain[i].p = malloc(chain[i].n);
            demand(chain[i].p != NULL);
            tag_put(chain[i].p, chain[i].n, (unsigned char)i);
        }
    }
    return NULL;
}

int main(void)
{
    first_seed = seed();
    int nlinks = NTHREADS * rounds(3, 100);
    for (uintptr_t i = 0; i < (uintptr_t)nlinks; i++)
        pthread_join(start(link_of_chain, (void *)i), NULL);
    size_t resident = resident_bytes();
    demand(resident < 64 * MiB);        /* some 1.2 MiB are live */
    for (int i = 0; i < NBLOCKS; i++)
        free(chain[i].p);
    printf("handover: %d threads, %zu KiB resident, seed %llu\n", nlinks,
           resident / KiB, (unsigned long long)first_seed);
    return 0;
}
