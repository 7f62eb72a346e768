/* thread_churn.c -- thousands of short threads: what a thread held goes back
 * when it ends, so memory does not grow with their number. */
#include "stress.h"

enum { WIDTH = 8 };

static int nthreads, nsteps;

static void *short_life(void *argument)
{
    churn((uintptr_t)argument, nsteps, 64 * KiB);
    return malloc(100);                 /* freed by another thread, after our end */
}

int main(void)
{
    uint64_t first_seed = seed();
    size_t early = 0;
    nthreads = rounds(SANITIZED ? 200 : 2000, 100000);     /* a sanitized thread is dear */
    nsteps = rounds(300, 60);

    for (uintptr_t i = 0; i < (uintptr_t)nthreads; i += WIDTH) {
        pthread_t threads[WIDTH];
        for (uintptr_t k = 0; k < WIDTH; k++)
            threads[k] = start(short_life, (void *)(first_seed + i + k));
        for (int k = 0; k < WIDTH; k++) {
            void *p;
            pthread_join(threads[k], &p);
            demand(p != NULL);
            free(p);
        }
        /* How many of them live at one time is chance: the most that any eight needed. */
        size_t now_resident = i <= (uintptr_t)nthreads / 10 ? resident_bytes() : 0;
        if (now_resident > early)
            early = now_resident;
    }
    size_t late = resident_bytes();
    if (late > early + early / 4 + 8 * MiB)
        fail("%zu KiB resident at most up to %d threads, %zu after %d", early / KiB, nthreads / 10,
             late / KiB, nthreads);
    printf("thread_churn: %d threads, %zu KiB resident, seed %llu\n", nthreads, late / KiB,
           (unsigned long long)first_seed);
    return 0;
}
