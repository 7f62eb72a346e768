/* alignments.c -- many threads ask for blocks at large alignments, up to 64 MiB,
 * and free them in random order: no overlap, and the address space comes back. */
#include "stress.h"

enum { NTHREADS = 4, NLIVE = 12 };

static int nops;

static void *thread(void *argument)
{
    uint64_t state = (uintptr_t)argument;
    struct { unsigned char *p; size_t n; unsigned char tag; } live[NLIVE] = { { NULL, 0, 0 } };

    for (int i = 0; i < nops; i++) {
        size_t k = draw_below(&state, NLIVE);
        size_t alignment = (size_t)16 << draw_below(&state, 23);
        if (live[k].p != NULL)
            tag_check(live[k].p, live[k].n, live[k].tag);
        free(live[k].p);
        live[k].n = draw_size(&state, 4 * MiB);
        live[k].tag = (unsigned char)draw(&state);
        live[k].p = aligned_alloc(alignment, live[k].n);
        demand(live[k].p != NULL);
        demand(((uintptr_t)live[k].p & (alignment - 1)) == 0);
        tag_put(live[k].p, live[k].n, live[k].tag);
    }
    for (int k = 0; k < NLIVE; k++)
        free(live[k].p);
    return NULL;
}

int main(void)
{
    pthread_t threads[NTHREADS];
    uint64_t first_seed = seed();
    nops = rounds(600, 12000);
    for (uintptr_t i = 0; i < NTHREADS; i++)
        threads[i] = start(thread, (void *)(first_seed + i));
    for (int i = 0; i < NTHREADS; i++)
        pthread_join(threads[i], NULL);
    malloc_trim(0);
    size_t resident = resident_bytes();
    demand(resident < 256 * MiB);
    printf("alignments: %d blocks, %zu KiB resident at the end, seed %llu\n", NTHREADS * nops,
           resident / KiB, (unsigned long long)first_seed);
    return 0;
}
